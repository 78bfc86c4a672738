import { Refusal } from '../../contracts/codes.ts';
import type { AllowanceEvent } from '../../contracts/events/allowance.ts';
import type { FriendshipEvent } from '../../contracts/events/friendship.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { ReplyEvent } from '../../contracts/events/reply.ts';
import type { SettingEvent } from '../../contracts/events/setting.ts';
import type { UserEvent } from '../../contracts/events/user.ts';
import { ApplicationId, type Gid, Mid, ReplyId, Uid } from '../../contracts/ids.ts';
import type { Settings } from '../../contracts/settings.ts';
import { type CommandContext, seconds } from '../../services/commands/context.ts';
import type { AggregateStream } from '../../services/domain/aggregate.ts';
import {
  type AllowanceName,
  type AllowanceState,
  allowanceStream,
  useAllowance,
} from '../../services/domain/allowance.ts';
import type { FriendshipState } from '../../services/domain/friendship.ts';
import type { GroupState } from '../../services/domain/group.ts';
import type { ReplyState } from '../../services/domain/reply.ts';
import { settingStream } from '../../services/domain/setting.ts';
import { type UserState, userStream } from '../../services/domain/user.ts';
import type { StreamName } from '../../services/log/log.ts';
import { Random } from '../fuzz/random.ts';
import { type ChatState, Chats } from './chats.ts';
import { DecidedEvents } from './decided-events.ts';
import { States } from './states.ts';

/** An application that waits for an answer: of one person to another, or of a group to one. */
export interface OpenApplication {
  readonly id: ApplicationId;
  readonly to: Uid;
  readonly from: Uid | { readonly gid: Gid };
}

/** Everything that has happened so far in a history, and what makes the next thing happen. */
export class Story {
  readonly random: Random;
  readonly decided: DecidedEvents;
  readonly chats = new Chats();
  readonly people: Uid[] = [];
  /** Members (会员), who have customer-service replies. */
  readonly members: Uid[] = [];
  /** Whose accounts are disabled. */
  readonly disabled: Uid[] = [];
  readonly applications: OpenApplication[] = [];
  readonly nicknames = new Map<Uid, string>();
  readonly users = new States<UserState, UserEvent>();
  readonly friendships = new States<FriendshipState, FriendshipEvent>();
  readonly groups = new States<GroupState, GroupEvent>();
  readonly replies = new States<ReplyState, ReplyEvent>();
  readonly #settings = new States<Settings, SettingEvent>();
  readonly #allowances = new States<AllowanceState, AllowanceEvent>();
  readonly #taken = new Set<number>();
  readonly #last = { uid: 0, mid: 0, application: 0, reply: 0 };

  constructor(events: number, seed: string) {
    this.random = new Random(seed);
    this.decided = new DecidedEvents(events, seed);
  }

  get settings(): Settings {
    return this.#settings.get(settingStream);
  }

  nextUid = (): Uid => Uid.parse(++this.#last.uid);
  nextMid = (): Mid => Mid.parse(++this.#last.mid);
  nextApplicationId = (): ApplicationId => ApplicationId.parse(++this.#last.application);
  nextReplyId = (): ReplyId => ReplyId.parse(++this.#last.reply);

  /** A random number in between that nothing else has. */
  freeNumber(least: number, most: number): number {
    for (;;) {
      const number = this.random.integer(least, most);
      if (this.#taken.has(number)) continue;
      this.#taken.add(number);
      return number;
    }
  }

  /** Anybody; those who came first are the busiest. */
  anyone(): Uid | undefined {
    return this.#early(this.people);
  }

  /** A chat of two or of a group; those that began first are the busiest. */
  anyChat(): ChatState | undefined {
    return this.random.chance(0.5) ? this.anyPair() : (this.anyGroup() ?? this.anyPair());
  }

  anyPair(): ChatState | undefined {
    return this.#early(this.chats.pairs);
  }

  anyGroup(): ChatState | undefined {
    return this.#early(this.chats.groups);
  }

  /** A request of a person. */
  request(uid: Uid): CommandContext {
    return this.decided.request(`${uid}`);
  }

  /** A request of a person that follows on the last one within seconds. */
  nextRequest(uid: Uid): CommandContext {
    return this.decided.request(`${uid}`, this.random.fraction());
  }

  /** Decides on a stream's present state. @returns what was decided; nothing if it was refused */
  decide<State, Event extends DomainEvent>(
    states: States<State, Event>,
    stream: AggregateStream<State, Event>,
    context: CommandContext,
    decide: (state: State) => readonly Event[],
  ): readonly Event[] {
    const events = unlessRefused(() => decide(states.get(stream)));
    if (events.length === 0) return events;
    states.fold(stream, events, seconds(context));
    this.append(stream.name, events, context);
    return events;
  }

  /** Appends what was decided elsewhere. */
  append(stream: StreamName, events: readonly DomainEvent[], context: CommandContext, cause?: 'first'): void {
    this.decided.add(stream, events, context, cause);
    for (const event of events) this.chats.apply(event, seconds(context));
  }

  /** Whether a person may do something once more; it then counts. */
  allows(uid: Uid, name: AllowanceName, context: CommandContext, count = 1): boolean {
    const use = { uid, name, count, settings: this.settings, now: seconds(context) };
    const stream = allowanceStream(uid);
    return this.decide(this.#allowances, stream, context, (state) => useAllowance(state, use)).length > 0;
  }

  /** Changes the settings. */
  changeSettings(context: CommandContext, decide: (settings: Settings) => readonly SettingEvent[]): void {
    this.decide(this.#settings, settingStream, context, decide);
  }

  /** Whether a person's account is there and not disabled. */
  isActive(uid: Uid): boolean {
    return this.users.get(userStream(uid))?.disabled === false;
  }

  #early<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(items.length * this.random.fraction() ** 2)];
  }
}

/** What is decided; nothing if it is refused. */
export function unlessRefused<Event>(decide: () => readonly Event[]): readonly Event[] {
  try {
    return decide();
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}
