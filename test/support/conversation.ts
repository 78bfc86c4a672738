import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { comparePositions, type PushPosition, parsePosition } from '../../contracts/push/position.ts';
import { Client } from '../gateway/client.ts';
import type { Callable } from './standalone.ts';

/** Someone who is logged in. */
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

/** Waits as long as a busy machine may take. */
export const patiently = { timeout: 20_000, interval: 20 };

/** Makes two friends. */
export async function befriended(api: Callable): Promise<readonly [Person, Person]> {
  const [tom, jerry] = await Promise.all([join(api, 'tom'), join(api, 'jerry')]);
  const friends = { login_uid: tom.uid, friend_uid: jerry.uid };
  expect(await api.call('/api/friend/add', 'server', friends)).toMatchObject({ code: 0 });
  return [tom, jerry];
}

/** Makes a group of two. */
export async function createGroup(api: Callable, owner: Person, member: Person): Promise<Group> {
  const group = { login_uid: owner.uid, 'members[]': member.uid, groupname: 'two' };
  const { data } = await api.call('/api/group/create', 'server', group);
  return z.object({ gid: z.string() }).parse(data);
}

/** The name is one that no log has seen: an EventStoreDB server keeps that of earlier runs. */
async function join(api: Callable, name: string): Promise<Person> {
  const account = {
    username: `${name}${randomUUID().replaceAll('-', '').slice(0, 10)}`,
    password: 'secret-1',
  };
  const added = await api.call('/api/user/add', 'server', { ...account, nickname: name });
  expect(added).toMatchObject({ code: 0 });
  return Login.parse((await api.call('/api/login/login', 'nobody', account)).data);
}

/** Opens a person's websocket and hears their channel, from a position on where one is given. */
export async function listen({ port }: { readonly port: number }, person: Person, since?: string) {
  const client = await Client.connect(port, {
    token: person.token,
    ...(since === undefined ? {} : { since }),
  });
  await client.subscribe(`user-${person.uid}`);
  return client;
}

/** What messages were heard, in the order of hearing; on one channel where it is named. */
export function heard(client: Client, channel?: string): string[] {
  return messages(client, channel).map(({ content }) => content);
}

/** The position of the last message that was heard. */
export function lastPosition(client: Client): string | undefined {
  return messages(client).at(-1)?.position;
}

/** Whether each message stands later in the log than the one that was heard before it. */
export function inOrder(client: Client): boolean {
  const positions = messages(client).map(({ position }) => positionOf(position));
  return positions.every((position, index) => {
    const before = positions[index - 1];
    return before === undefined || comparePositions(before, position) < 0;
  });
}

function messages(client: Client, channel?: string) {
  return client.frames
    .filter((frame) => frame.event === 'message' && (channel === undefined || frame.channel === channel))
    .map(({ data }) => Message.parse(data));
}

function positionOf(text: string): PushPosition {
  const position = parsePosition(text);
  if (position === undefined) throw new Error(`${text} is no position`);
  return position;
}

/** Sends one message; fails where it is refused. Rejects where the API is gone. */
export async function send(api: Callable, from: Person, to: Person | Group, content: string): Promise<void> {
  const chat = 'gid' in to ? { to: to.gid, type: 'group' } : { to: to.uid, type: 'friend' };
  const message = { login_uid: from.uid, content, ...chat };
  expect(await api.call('/api/message/send', 'server', message)).toMatchObject({ code: 0 });
}

/** One message after the other, `name 0`, `name 1` and so on, each sent once the one before is acknowledged. */
export class Sending {
  readonly name: string;
  /** What the API has answered for, in order. */
  readonly acknowledged: string[] = [];
  #stopped = false;
  #failure: unknown;
  readonly #done: Promise<void>;

  constructor(api: Callable, from: Person, to: Person | Group, name: string) {
    this.name = name;
    this.#done = this.#run(api, from, to).catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Waits until so many more are acknowledged. @throws what a sending threw */
  async more(count: number): Promise<void> {
    const enough = this.acknowledged.length + count;
    await vi.waitUntil(() => this.acknowledged.length >= enough || this.#failure !== undefined, patiently);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends it with the message under way. @throws what a sending threw */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits until a message was not answered for, as when the API is killed. */
  async brokeOff(): Promise<void> {
    await this.#done;
    expect(this.#failure).toBeInstanceOf(TypeError);
  }

  /** Those of what a client has heard that are of this sending. */
  heardBy(client: Client): string[] {
    return heard(client).filter((content) => content.startsWith(`${this.name} `));
  }

  async #run(api: Callable, from: Person, to: Person | Group): Promise<void> {
    while (!this.#stopped) {
      const content = `${this.name} ${this.acknowledged.length}`;
      await send(api, from, to, content);
      this.acknowledged.push(content);
    }
  }
}
