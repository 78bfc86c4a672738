import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { z } from 'zod';
import { Positioned, pushes } from '../../contracts/push/index.ts';
import { comparePositions, parsePosition } from '../../contracts/push/position.ts';
import { tokenSessions } from '../../services/gateway/connections/sessions.ts';
import { createGateway, type Gateway } from '../../services/gateway/gateway.ts';
import { silent } from '../support/accounts.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { createGroup, type Person, three } from '../support/client.ts';
import { Client, type Frame } from './client.ts';
import { app } from './harness.ts';

/** A push that a person received: their name, the event and its data. */
export type ReceivedPush = [name: string, event: string, data: object];

/** The API with a gateway, and three people who each listen to their own channels and `global`. */
export interface Three {
  readonly running: RunningApplication;
  /** The gateway's. */
  readonly port: number;
  readonly tom: Person;
  readonly jerry: Person;
  readonly spike: Person;
  /** The pushes that some work causes, and who receives them; without presence, which is not of the log. */
  pushesOf(work: () => Promise<{ readonly code: number }>): Promise<ReceivedPush[]>;
  /** Creates a group of Tom and Jerry, who listen to its channels; Spike is no member. */
  group(): Promise<number>;
  /** Subscribes a member to a group's channels. */
  listenToGroup(person: Person, gid: number): Promise<void>;
  /** The socket of a person. */
  socketOf(person: Person): Client;
}

interface Listening {
  readonly person: Person;
  readonly client: Client;
}

/** Starts them for the tests of a file; each test has new people. */
export function threeListening(): Three {
  let running: RunningApplication;
  let gateway: Gateway;
  let port: number;
  let tom: Person;
  let jerry: Person;
  let spike: Person;
  let all: readonly Listening[];
  const server = createServer();

  beforeAll(async () => {
    running = await startApplication();
    const { pool, tokens } = running.application;
    gateway = createGateway({
      ...{ bus: running.bus, database: pool, app, logger: silent },
      sessions: tokenSessions(tokens, async () => ({ token_days: 30 })),
    });
    await gateway.start();
    gateway.attach(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = z.object({ port: z.number() }).parse(server.address()).port;
  });
  afterAll(async () => {
    await gateway.drain();
    server.close();
    await running.stop();
  });
  beforeEach(async () => {
    [tom, jerry, spike] = await three(running);
    all = await Promise.all(
      [tom, jerry, spike].map(async (person) => ({ person, client: await listenAs(port, person) })),
    );
    return async () => {
      await Promise.all(all.map(({ client }) => client.close()));
    };
  });

  const socketOf = ({ uid }: Person): Client => {
    const found = all.find(({ person }) => person.uid === uid);
    if (found === undefined) throw new Error(`${uid} does not listen`);
    return found.client;
  };
  const listenToGroup = async (person: Person, gid: number) => {
    for (const channel of [`group-${gid}`, `private-group-${gid}`]) {
      await listen(socketOf(person), person, channel);
    }
  };
  return {
    get running() {
      return running;
    },
    get port() {
      return port;
    },
    get tom() {
      return tom;
    },
    get jerry() {
      return jerry;
    },
    get spike() {
      return spike;
    },
    ...{ socketOf, listenToGroup },
    async pushesOf(work) {
      for (const { client } of all) await client.caughtUp();
      const before = all.map(({ client }) => client.frames.length);
      expect(await work()).toMatchObject({ code: 0 });
      const received: ReceivedPush[] = [];
      for (const [index, { person, client }] of all.entries()) {
        await client.caughtUp();
        for (const { event, data } of once(client.frames.slice(before[index]))) {
          const shape = Object.entries(pushes).find(([known]) => known === event)?.[1];
          received.push([person.nickname, event, z.looseObject({}).parse(shape?.parse(data))]);
        }
      }
      return received;
    },
    async group() {
      const gid = await createGroup(tom, jerry);
      for (const person of [tom, jerry]) await listenToGroup(person, gid);
      return gid;
    },
  };
}

/** The pushes of the log that one socket received, each once, although it came on both channels of its feed. */
function once(frames: readonly Frame[]): Frame[] {
  const events = frames.filter(({ event }) => !event.startsWith('pusher') && event !== 'presence');
  const plain = events.filter(({ channel }) => !channel?.startsWith('private-'));
  const twins = events.filter(({ channel }) => channel?.startsWith('private-'));
  const eventAndData = ({ event, data }: Frame) => [event, data];
  expect(twins.map(eventAndData)).toEqual(
    plain.filter(({ channel }) => channel !== 'global').map(eventAndData),
  );
  const positions = plain.map(({ data }) => parsePosition(Positioned.parse(data).position));
  for (const [index, position] of positions.entries()) {
    const last = positions[index - 1];
    if (position === undefined) throw new Error('a push has no position');
    if (last !== undefined) expect(comparePositions(last, position)).toBeLessThan(0);
  }
  return plain;
}

async function listenAs(port: number, person: Person): Promise<Client> {
  const client = await Client.connect(port);
  for (const channel of [`user-${person.uid}`, `private-user-${person.uid}`]) {
    await listen(client, person, channel);
  }
  await client.subscribe('global');
  return client;
}

async function listen(client: Client, person: Person, channel: string): Promise<void> {
  client.askSigned(channel, { user_id: String(person.uid) });
  await client.subscribed(channel);
}

/** The names of the recipients and of the events. */
export function named(received: readonly ReceivedPush[]): [name: string, event: string][] {
  return received.map(([name, event]) => [name, event]);
}

/** Any object with these properties. */
export const loosely = (value: object): unknown => expect.objectContaining(value);

const Sent = z.object({ mid: z.int() });

/** Sends a message. Returns its mid. */
export async function say(
  from: Person,
  to: number,
  type: 'friend' | 'group',
  content = 'hello',
): Promise<number> {
  return Sent.parse((await from.post('/message/send', { to, type, content })).data).mid;
}
