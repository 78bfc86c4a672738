import fc from 'fast-check';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { AnnouncementId, type ConversationId } from '../../contracts/ids.ts';
import { befriended, between, created, gid, inGroup, mid, readTo, registered, sent, uid } from './events.ts';

/* Random histories of a few people who talk in pairs and in one group. */

export const people = [1, 2, 3, 4] as const;
export const groupId = 50;

/** One attempt of someone; it happens only if it can. */
type Step =
  | { readonly kind: 'say'; readonly who: number; readonly where: number }
  | { readonly kind: 'read'; readonly who: number; readonly where: number; readonly back: number }
  | { readonly kind: 'take'; readonly where: number; readonly back: number; readonly revoke: boolean }
  | { readonly kind: 'own delete'; readonly who: number; readonly where: number; readonly back: number }
  | Coming
  | Administered
  | { readonly kind: 'hide' | 'show'; readonly who: number; readonly where: number }
  | { readonly kind: 'befriend' | 'unfriend'; readonly who: number; readonly where: number };

/** What is done to everyone, or to an account as such. */
type Administered = {
  readonly kind: 'announce' | 'see' | 'revoke announcement' | 'delete account';
  readonly who: number;
};
type Coming = { readonly kind: 'come' | 'go' | 'mute' | 'rename'; readonly who: number };
type InChat = Extract<Step, { where: number; who: number }>;

const who = fc.constantFrom(...people);
/** Who is talked with; 0: the group. */
const where = fc.constantFrom(0, ...people);
const back = fc.nat({ max: 4 });

export const history: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('say' as const), who, where }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), who, where, back }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('take' as const), where, back, revoke: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('own delete' as const), who, where, back }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom('come' as const, 'go' as const, 'mute' as const), who }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('rename' as const), who }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom(...(['announce', 'see', 'revoke announcement', 'delete account'] as const)),
        who,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('hide' as const, 'show' as const), who, where }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('befriend' as const, 'unfriend' as const), who, where }),
    },
  ),
  { minLength: 5, maxLength: 60 },
);

const administered: ReadonlySet<string> = new Set<Administered['kind']>([
  ...(['announce', 'see', 'revoke announcement', 'delete account'] as const),
]);

function isAdministered(step: Step): step is Administered {
  return administered.has(step.kind);
}

/** A message as the slow count remembers it. */
interface Said {
  readonly mid: number;
  readonly sequence: number;
  readonly from: number;
  readonly notice: boolean;
  gone: boolean;
  readonly deletedFor: Set<number>;
}

/** What a history comes to: its events, and all that was said, remembered the slow way. */
export class Retelling {
  readonly events: DomainEvent[] = [];
  readonly #said = new Map<ConversationId, Said[]>();
  /** The sequence up to which someone has read, or that of their joining. */
  readonly #read = new Map<string, number>();
  readonly #members = new Set<number>([1, 2]);
  #lastMid = 0;
  #announced = 0;

  constructor(steps: readonly Step[]) {
    this.events.push(...people.map((id) => registered(id, `人${id}`)), created(groupId, '群', 1, 2));
    for (const step of steps) this.#tell(step);
  }

  /** How many messages someone has not read, counted one by one; undefined for a chat not theirs. */
  unread(who: number, conversation: ConversationId): number {
    const from = this.#read.get(`${who} ${conversation}`) ?? 0;
    return (this.#said.get(conversation) ?? []).filter(
      (said) =>
        said.sequence > from && !said.notice && said.from !== who && !said.gone && !said.deletedFor.has(who),
    ).length;
  }

  /** Everyone's chats. */
  chats(): { readonly who: number; readonly conversation: ConversationId }[] {
    return people.flatMap((who) => {
      const own = [...this.#said.keys()].filter((conversation) =>
        conversation.startsWith('f')
          ? conversation.slice(1).split('-').includes(String(who))
          : this.#members.has(who),
      );
      return own.map((conversation) => ({ who, conversation }));
    });
  }

  #conversation(who: number, where: number): ConversationId | undefined {
    if (where === 0) return this.#members.has(who) ? inGroup(groupId) : undefined;
    return where === who ? undefined : between(who, where);
  }

  #add(conversation: ConversationId, from: number, notice: boolean): number {
    const said = this.#said.get(conversation) ?? [];
    this.#said.set(conversation, said);
    const entry = { mid: ++this.#lastMid, sequence: said.length + 1, from, notice, gone: false };
    said.push({ ...entry, deletedFor: new Set() });
    return entry.mid;
  }

  #notice(from: number) {
    return mid(this.#add(inGroup(groupId), from, true));
  }

  #readTo(who: number, conversation: ConversationId, sequence: number): void {
    const key = `${who} ${conversation}`;
    this.#read.set(key, Math.max(this.#read.get(key) ?? 0, sequence));
  }

  #readAll(who: number, conversation: ConversationId): void {
    this.#readTo(who, conversation, this.#said.get(conversation)?.length ?? 0);
  }

  #tell(step: Step): void {
    if (isAdministered(step)) this.#administer(step);
    else if (!('where' in step)) this.#inGroup(step);
    else if (!('who' in step)) this.#take(step);
    else this.#inChat(step);
  }

  #inChat(step: InChat): void {
    const conversation = this.#conversation(step.who, step.where);
    if (!conversation) return;
    const { who } = step;
    switch (step.kind) {
      case 'say': {
        const message = this.#add(conversation, who, false);
        this.events.push(sent(conversation, who, message, `m${message}`));
        return;
      }
      case 'read': {
        const said = this.#said.get(conversation)?.at(-1 - step.back);
        if (!said) return;
        this.#readTo(who, conversation, said.sequence);
        this.events.push(readTo(who, conversation, said.mid, said.sequence));
        return;
      }
      case 'own delete': {
        const said = this.#said.get(conversation)?.at(-1 - step.back);
        if (!said || said.gone) return;
        said.deletedFor.add(who);
        const data = { conversation, mid: mid(said.mid), sequence: said.sequence, by: uid(who) };
        this.events.push({ type: 'MessageDeleted', data: { ...data, scope: 'self' } });
        return;
      }
      case 'hide':
      case 'show':
        if (step.kind === 'hide' && this.#said.has(conversation)) this.#readAll(who, conversation);
        this.events.push({
          type: step.kind === 'hide' ? 'ChatHidden' : 'ChatShown',
          data: { uid: uid(who), conversation },
        });
        return;
      case 'befriend':
        if (step.where !== 0) this.events.push(befriended(who, step.where));
        return;
      case 'unfriend':
        if (step.where === 0) return;
        this.events.push(befriended(who, step.where), {
          type: 'Unfriended',
          data: { by: uid(who), friend: uid(step.where) },
        });
        this.#readAll(who, conversation);
        this.#readAll(step.where, conversation);
    }
  }

  #take({ where, back, revoke }: Extract<Step, { kind: 'take' }>): void {
    const conversation = where === 0 ? inGroup(groupId) : between(where, where === 1 ? 2 : 1);
    const said = this.#said.get(conversation)?.at(-1 - back);
    if (!said || said.notice) return;
    said.gone = true;
    const data = { conversation, mid: mid(said.mid), sequence: said.sequence, by: uid(said.from) };
    const { by: _, ...message } = data;
    if (revoke && back % 2 === 1) this.events.push({ type: 'MessageWithdrawn', data: message });
    else if (revoke) this.events.push({ type: 'MessageRevoked', data });
    else this.events.push({ type: 'MessageDeleted', data: { ...data, scope: 'all' } });
  }

  #administer({ kind, who }: Administered): void {
    const latest = () => AnnouncementId.parse(this.#announced);
    if (kind === 'announce') {
      this.#announced++;
      this.events.push({ type: 'AnnouncementSent', data: { id: latest(), content: `to all ${who}` } });
    } else if (kind === 'delete account') {
      this.events.push({ type: 'AccountDeleted', data: { uid: uid(who) } });
      if (who % 2 === 0) this.events.push({ type: 'AccountDeletionCompleted', data: { uid: uid(who) } });
    } else if (this.#announced > 0) {
      const data = { id: latest() };
      if (kind === 'see') this.events.push({ type: 'AnnouncementsSeen', data: { ...data, uid: uid(who) } });
      else this.events.push({ type: 'AnnouncementRevoked', data });
    }
  }

  #inGroup({ kind, who }: Coming): void {
    const group = inGroup(groupId);
    if (kind === 'rename') {
      const data = { uid: uid(who), nickname: `renamed ${this.events.length}` };
      this.events.push({ type: 'ProfileChanged', data });
    } else if (kind === 'mute') {
      const data = { gid: gid(groupId), by: uid(1), noticeMid: this.#notice(1) };
      this.events.push({ type: 'GroupMuted', data });
    } else if (kind === 'come') {
      if (this.#members.has(who)) return;
      this.#members.add(who);
      const before = this.#said.get(group)?.length ?? 0;
      this.#read.set(`${who} ${group}`, before);
      this.events.push({
        type: 'MemberJoined',
        data: { gid: gid(groupId), uid: uid(who), noticeMid: this.#notice(who) },
      });
    } else if (who !== 1 && this.#members.delete(who)) {
      this.events.push({ type: 'MemberLeft', data: { gid: gid(groupId), uid: uid(who), faces: null } });
    }
  }
}
