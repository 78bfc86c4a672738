import { type Chat, conversationOf } from '../../contracts/chat.ts';
import { Refusal } from '../../contracts/codes.ts';
import type { ConversationId, Gid, Mid, Uid } from '../../contracts/ids.ts';
import type { Application } from '../../services/api/application.ts';
import { type ChatChanges, changeChat } from '../../services/commands/change-chat.ts';
import type { CommandContext } from '../../services/commands/context.ts';
import { execute } from '../../services/commands/execute.ts';
import { markRead, readNewest } from '../../services/commands/reading.ts';
import { type Removal, removeMessage } from '../../services/commands/remove-message.ts';
import * as friendships from '../../services/domain/friendship.ts';
import { type GroupState, groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import type { Position } from '../../services/log/log.ts';
import { findReading } from '../../services/queries/reading.ts';
import { context, register } from './acting.ts';
import type { RunningApplication } from './application.ts';
import { gid } from './events.ts';

let lastGid = 10_000;

/** A few people and one group of theirs, who do things as requests carry them out, at a clock of the test's. */
export class Company {
  /** Seconds since 1970; only the test moves it. */
  now = 1_700_000_000;
  readonly #running: RunningApplication;
  readonly #application: Application;
  readonly people: readonly Uid[];
  readonly group: Gid;
  /** Of the notice that the group's creation left. */
  readonly creationMid: Mid;

  /** People of whom the first owns the group and the second is in it. */
  static async meet(running: RunningApplication, count: number): Promise<Company> {
    const people: Uid[] = [];
    for (let index = 0; index < count; index++) {
      people.push(await register(running.application, `人${index}`));
    }
    const mid = await running.application.ids.nextMid();
    const company = new Company(running, people, gid(++lastGid), mid);
    await company.change((state) => {
      const [owner, second] = people;
      if (owner === undefined || second === undefined) throw new Error('too few people');
      return groups.createGroup(state, {
        gid: company.group,
        owner,
        members: [second],
        mid,
      });
    });
    return company;
  }

  private constructor(running: RunningApplication, people: readonly Uid[], group: Gid, creationMid: Mid) {
    this.#running = running;
    this.#application = running.application;
    this.people = people;
    this.group = group;
    this.creationMid = creationMid;
  }

  #at(who: Uid): CommandContext {
    return context(who, this.now * 1000);
  }

  /** Waits for what a command did, as requests do; false if it was refused. */
  async #done(command: Promise<{ position: Position } | Position>): Promise<boolean> {
    try {
      const result = await command;
      await this.#running.shown(typeof result === 'string' ? result : result.position);
      return true;
    } catch (error) {
      if (error instanceof Refusal && error.reason !== 'notReady') return false;
      throw error;
    }
  }

  /** The mid; undefined if the message was refused. */
  async say(from: Uid, to: Chat, content: string): Promise<Mid | undefined> {
    let mid: Mid | undefined;
    const sending = this.#application.sender.send({ from, to, content }, this.#at(from));
    const done = await this.#done(
      sending.then((sent) => {
        mid = sent.mid;
        return sent;
      }),
    );
    return done ? mid : undefined;
  }

  /** As `message/get` without a mid. Returns the mids of the page. */
  async get(reader: Uid, chat: Chat, limit: number): Promise<{ mid: number; content: string }[] | undefined> {
    const { database } = this.#application;
    const conversation = conversationOf(reader, chat);
    const reading = await findReading(database, reader, conversation);
    if (!reading) return undefined;
    const shown = { reader, conversation, limit };
    const read = await readNewest(this.#application, shown, reading, this.#at(reader));
    await this.#running.shown(read.position);
    return read.page.map(({ message: { mid, content } }) => ({ mid, content }));
  }

  readAll(reader: Uid, conversation: ConversationId): Promise<boolean> {
    return this.#done(markRead(this.#application, reader, conversation, {}, this.#at(reader)));
  }

  chat(who: Uid, chat: Chat, changes: ChatChanges): Promise<boolean> {
    return this.#done(changeChat(this.#application, who, chat, changes, this.#at(who)));
  }

  take(taking: Removal, by: Uid, chat: Chat, mid: Mid): Promise<boolean> {
    return this.#done(removeMessage(this.#application, taking, { by, chat, mid }, this.#at(by)));
  }

  /** Changes the group; answers whether anything happened. */
  async change(
    decide: (state: GroupState, mid: Mid) => ReturnType<typeof groups.createGroup>,
  ): Promise<Mid | undefined> {
    const [owner] = this.people;
    if (owner === undefined) throw new Error('nobody');
    const mid = await this.#application.ids.nextMid();
    let happened = false;
    const done = await this.#done(
      execute(this.#application, groupStream(this.group), this.#at(owner), (state) =>
        decide(state, mid),
      ).then((executed) => {
        happened = executed.events.length > 0;
        return executed;
      }),
    );
    return done && happened ? mid : undefined;
  }

  /** Changes what two people are to each other; answers the mid that a greeting would have, if anything happened. */
  async relate(
    by: Uid,
    other: Uid,
    decide: (state: friendships.FriendshipState, mid: Mid) => ReturnType<typeof friendships.apply>,
  ): Promise<{ mid: Mid; type: ReturnType<typeof friendships.apply>[number]['type'] } | undefined> {
    const mid = await this.#application.ids.nextMid();
    const stream = friendships.friendshipStream(by, other);
    const { events, position } = await execute(this.#application, stream, this.#at(by), (state) =>
      decide(state, mid),
    );
    await this.#running.shown(position);
    const [event] = events;
    return event && { mid, type: event.type };
  }
}
