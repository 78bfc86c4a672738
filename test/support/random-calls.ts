import fc from 'fast-check';
import { z } from 'zod';
import type { RunningApplication } from './application.ts';
import { call, type Envelope, type Person, person } from './client.ts';

/* Random calls of the API by a few people who talk in pairs and in one group. */

const howMany = 4;

/** One call: what, by whom, with whom (one's own index means the group), and how far back among the messages. */
export interface RandomCall {
  readonly what: keyof typeof acts;
  readonly who: number;
  readonly whom: number;
  readonly back: number;
}

interface Given {
  readonly me: Person;
  readonly other: Person;
  readonly chat: { readonly id: number; readonly type: 'friend' | 'group' };
  readonly gid: number;
  /** A message of the chat, if there is one. */
  readonly mid: number | undefined;
  readonly back: number;
  readonly running: RunningApplication;
}

const onOff = (back: number) => (back % 2 === 0 ? 'off' : 'on');

const acts = {
  send: ({ me, chat, back, mid }: Given) =>
    me.post('/message/send', {
      // A list of chats looks up the message of a text with more than 500 characters.
      ...{
        to: chat.id,
        type: chat.type,
        content: `${me.nickname}${back}`.padEnd(back === 5 ? 501 : 0, '长'),
      },
      ...(back === 1 && mid !== undefined ? { quote_mid: mid } : {}),
    }),
  look: ({ me, chat }: Given) => me.get('/message/get', { ...chat, limit: 3 }),
  'read all': ({ me, chat }: Given) => me.post('/message/updateLastReadTime', chat),
  revoke: ({ me, chat, mid }: Given) => me.post('/message/revoke', { ...chat, mid }),
  delete: ({ me, chat, mid, back }: Given) =>
    me.post('/message/delete', { ...chat, mid, ty: 1 + (back % 2) }),
  hide: ({ me, chat }: Given) => me.post('/pop/delchat', chat),
  mark: ({ me, other, back }: Given) =>
    me.post('/friend/update', { friend_uid: other.uid, unread_count: back, top: back % 2 }),
  befriend: ({ me, other }: Given) => me.post('/friend/add', { friend_uid: other.uid }),
  apply: ({ me, other }: Given) => me.post('/friend/apply', { friend_uid: other.uid }),
  agree: async ({ me }: Given) => {
    const { data } = await me.get('/friend/applylist');
    const [open] = z.array(z.object({ nid: z.int() })).parse(data);
    return me.post('/friend/agree', { nid: open?.nid });
  },
  part: ({ me, other }: Given) => me.post('/friend/delete', { friend_uid: other.uid }),
  remark: ({ me, other, back }: Given) =>
    me.post('/friend/remark', { friend_uid: other.uid, remark: back === 0 ? '' : `备注${back}` }),
  join: ({ me, gid }: Given) => me.post('/group/join', { gid }),
  bring: ({ me, other, gid }: Given) => me.post('/group/memberadd', { gid, members: [other.uid] }),
  leave: ({ me, gid }: Given) => me.post('/group/leave', { gid }),
  remove: ({ me, other, gid }: Given) => me.post('/group/memberdel', { gid, members: [other.uid] }),
  mute: ({ me, other, gid, back }: Given) =>
    me.post('/group/forbiddenuser', { gid, uid: other.uid, time: back * 3600 }),
  'mute all': ({ me, gid, back }: Given) => me.post('/group/forbiddenall', { gid, value: back % 2 }),
  appoint: ({ me, other, gid, back }: Given) =>
    me.post('/group/manager', { gid, uid: other.uid, value: back % 2 }),
  name: ({ me, gid, back }: Given) => me.post('/group/update', { gid, groupname: `群${back}` }),
  'call oneself': ({ me, back }: Given) => me.post('/user/update', { nickname: `${me.nickname}${back}` }),
  disable: ({ me, back }: Given) =>
    me.post('/user/update', { account_state: back === 0 ? 'disabled' : 'normal' }),
  set: ({ running, back }: Given) =>
    call(running, 'POST', '/setting/update', {
      [back % 3 === 0 ? 'stranger_chat' : back % 3 === 1 ? 'group_chat' : 'private_chat']: onOff(back),
    }),
} satisfies Record<string, (given: Given) => Promise<Envelope>>;

const weights: { readonly [What in keyof typeof acts]?: number } = {
  send: 16,
  look: 4,
  join: 3,
  revoke: 3,
  delete: 3,
  'mute all': 2,
  mute: 2,
};

const callOf = (what: keyof typeof acts) => ({
  weight: weights[what] ?? 1,
  arbitrary: fc.record({
    what: fc.constant(what),
    who: fc.nat({ max: howMany - 1 }),
    whom: fc.nat({ max: howMany - 1 }),
    back: fc.nat({ max: 5 }),
  }),
});

const kinds = Object.keys(acts).filter((what): what is keyof typeof acts => what in acts);

export const randomCalls: fc.Arbitrary<RandomCall[]> = fc.array(fc.oneof(...kinds.map(callOf)), {
  minLength: 20,
  maxLength: 60,
});

const Sent = z.object({ mid: z.int() });

/** People who make such calls, and the group of the first two. */
export class Callers {
  readonly people: readonly Person[];
  readonly gid: number;
  readonly #running: RunningApplication;
  readonly #mids = new Map<string, number[]>();

  static async meet(running: RunningApplication): Promise<Callers> {
    const people = await Promise.all(
      ['甲', '乙', '丙', '丁'].slice(0, howMany).map((nickname) => person(running, nickname)),
    );
    const [owner, second] = people;
    const created = await owner?.post('/group/create', { members: [second?.uid] });
    const { gid } = z.object({ gid: z.coerce.number() }).parse(created?.data);
    return new Callers(running, people, gid);
  }

  private constructor(running: RunningApplication, people: readonly Person[], gid: number) {
    this.#running = running;
    this.people = people;
    this.gid = gid;
  }

  /** The mids that were given in the chat of a call so far. */
  midsOf(call: Pick<RandomCall, 'who' | 'whom'>): readonly number[] {
    return this.#mids.get(this.#chatOf(call).key) ?? [];
  }

  /** Makes a call; whether it is refused or not. */
  async make(call: RandomCall): Promise<Envelope> {
    const { me, other, chat, key } = this.#chatOf(call);
    const { what, back } = call;
    const mids = this.midsOf(call);
    const mid = mids.at(-1 - back);
    const given = { me, other, chat, gid: this.gid, mid, back, running: this.#running };
    const answer = await acts[what](given);
    if (what === 'send' && answer.code === 0) this.#mids.set(key, [...mids, Sent.parse(answer.data).mid]);
    return answer;
  }

  person(index: number): Person {
    const found = this.people[index % this.people.length];
    if (!found) throw new Error('nobody is there');
    return found;
  }

  #chatOf({ who, whom }: Pick<RandomCall, 'who' | 'whom'>) {
    const me = this.person(who);
    const inGroup = who === whom;
    const other = this.person(inGroup ? whom + 1 : whom);
    const chat = inGroup
      ? { id: this.gid, type: 'group' as const }
      : { id: other.uid, type: 'friend' as const };
    return { me, other, chat, key: inGroup ? 'group' : [me.uid, other.uid].sort().join('-') };
  }
}
