import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { comparePositions, type PushPosition, parsePosition } from '../../contracts/push/position.ts';
import { Client } from '../gateway/client.ts';
import type { Callable } from './standalone.ts';

/** A person who is logged in. */
export interface Person {
  readonly uid: number;
  readonly token: string;
}

/** A group. */
export interface Group {
  readonly gid: string;
}

const Login = z.object({ uid: z.int(), token: z.string() });
const Message = z.object({ content: z.string(), position: z.string() });

/** For waiting on a busy machine. */
export const patiently = { timeout: 20_000, interval: 20 };

/** Registers two people and makes them friends. */
export async function befriended(api: Callable): Promise<readonly [Person, Person]> {
  const [tom, jerry] = await Promise.all([join(api, 'tom'), join(api, 'jerry')]);
  const friends = { login_uid: tom.uid, friend_uid: jerry.uid };
  expect(await api.call('/api/friend/add', 'server', friends)).toMatchObject({ code: 0 });
  return [tom, jerry];
}

/** Creates a group of two. */
export async function createGroup(api: Callable, owner: Person, member: Person): Promise<Group> {
  const group = { login_uid: owner.uid, 'members[]': member.uid, groupname: 'two' };
  const { data } = await api.call('/api/group/create', 'server', group);
  return z.object({ gid: z.string() }).parse(data);
}

/** Registers and logs in. The username is random, since an EventStoreDB server keeps those of earlier runs. */
async function join(api: Callable, name: string): Promise<Person> {
  const account = {
    username: `${name}${randomUUID().replaceAll('-', '').slice(0, 10)}`,
    password: 'secret-1',
  };
  const added = await api.call('/api/user/add', 'server', { ...account, nickname: name });
  expect(added).toMatchObject({ code: 0 });
  return Login.parse((await api.call('/api/login/login', 'nobody', account)).data);
}

/** A received message. */
export type ReceivedMessage = z.infer<typeof Message>;

/** Opens a person's websocket and subscribes to their channel, from a position on if one is given. */
export async function listen({ port }: { readonly port: number }, person: Person, since?: string) {
  const client = await Client.connect(port, {
    token: person.token,
    ...(since === undefined ? {} : { since }),
  });
  await client.subscribe(`user-${person.uid}`);
  return client;
}

/** The contents of the received messages, in order; only those of `channel` if it is given. */
export function received(client: Client, channel?: string): string[] {
  return messages(client, channel).map(({ content }) => content);
}

/** The position of the last received message. */
export function lastPosition(client: Client): string | undefined {
  return messages(client).at(-1)?.position;
}

/** Whether the messages were received in the order of the log. */
export function inOrder(client: Client): boolean {
  return areInOrder(messages(client));
}

/** The same of messages. */
export function areInOrder(received: readonly ReceivedMessage[]): boolean {
  const positions = received.map(({ position }) => positionOf(position));
  return positions.every((position, index) => {
    const before = positions[index - 1];
    return before === undefined || comparePositions(before, position) < 0;
  });
}

/** The received messages, in order; only those of `channel` if it is given. */
export function messages(client: Client, channel?: string): ReceivedMessage[] {
  return client.frames
    .filter((frame) => frame.event === 'message' && (channel === undefined || frame.channel === channel))
    .map(({ data }) => Message.parse(data));
}

function positionOf(text: string): PushPosition {
  const position = parsePosition(text);
  if (position === undefined) throw new Error(`${text} is no position`);
  return position;
}

/** Sends one message. @throws if it is refused, or the API is gone */
export async function send(api: Callable, from: Person, to: Person | Group, content: string): Promise<void> {
  const chat = 'gid' in to ? { to: to.gid, type: 'group' } : { to: to.uid, type: 'friend' };
  const message = { login_uid: from.uid, content, ...chat };
  expect(await api.call('/api/message/send', 'server', message)).toMatchObject({ code: 0 });
}

/**
 * Sends one message, again and again while the API answers 503, until it is accepted.
 * @throws if it is refused, or gets no answer
 */
export async function insist(
  api: Callable,
  from: Person,
  to: Person | Group,
  content: string,
): Promise<void> {
  const chat = 'gid' in to ? { to: to.gid, type: 'group' } : { to: to.uid, type: 'friend' };
  const message = { login_uid: from.uid, content, uniqueId: content, ...chat };
  await vi.waitUntil(async () => {
    const { code } = await api.call('/api/message/send', 'server', message);
    expect([0, 503]).toContain(code);
    return code === 0;
  }, patiently);
}

/** Sends messages one after the other, `name 0`, `name 1` and so on, each when the one before is acknowledged. */
export class Sending {
  readonly name: string;
  /** The acknowledged messages, in order. */
  readonly acknowledged: string[] = [];
  #stopped = false;
  #failure: unknown;
  readonly #done: Promise<void>;

  /** @param by how each is sent */
  constructor(api: Callable, from: Person, to: Person | Group, name: string, by = send) {
    this.name = name;
    this.#done = this.#run(api, from, to, by).catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Waits until `count` more are acknowledged. @throws what sending threw */
  async more(count: number): Promise<void> {
    const enough = this.acknowledged.length + count;
    await vi.waitUntil(() => this.acknowledged.length >= enough || this.#failure !== undefined, patiently);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Stops after the message under way. @throws what sending threw */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits until a message gets no answer because the API was killed. */
  async brokeOff(): Promise<void> {
    await this.#done;
    expect(this.#failure).toBeInstanceOf(TypeError);
  }

  /** The messages of this sender that a client received. */
  receivedBy(client: Client): string[] {
    return received(client).filter((content) => content.startsWith(`${this.name} `));
  }

  async #run(api: Callable, from: Person, to: Person | Group, by: typeof send): Promise<void> {
    while (!this.#stopped) {
      const content = `${this.name} ${this.acknowledged.length}`;
      await by(api, from, to, content);
      this.acknowledged.push(content);
    }
  }
}
