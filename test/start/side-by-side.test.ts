import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { Client } from '../gateway/client.ts';
import { afterAllTests } from '../support/at-end.ts';
import {
  befriended,
  createGroup,
  listen,
  type Person,
  patiently,
  received,
  send,
} from '../support/conversation.ts';
import {
  type LoneGateway,
  pusherServer,
  type SharedEnvironment,
  shareEnvironment,
  startApi,
  startGateway,
} from '../support/many.ts';
import { type NatsServer, natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { startProgram } from '../support/process.ts';
import type { Standalone } from '../support/standalone.ts';

/** Waits until a client has received these messages, each once, and no others. */
async function receivesExactly(client: Client, contents: readonly string[]): Promise<void> {
  await vi.waitUntil(() => received(client).length >= contents.length, patiently);
  await client.caughtUp();
  expect(received(client)).toEqual(contents);
}

const several = describe.skipIf(!natsServerIsInstalled);

several('two APIs and two gateways on one database (needs nats-server)', { timeout: 90_000 }, () => {
  let nats: NatsServer;
  let shared: SharedEnvironment;
  let firstApi: Standalone;
  let secondApi: Standalone;
  let gateways: readonly LoneGateway[];
  const processes = () => [firstApi, secondApi, ...gateways];
  const atEnd = afterAllTests();
  beforeAll(async () => {
    nats = await natsServer();
    await nats.start();
    atEnd(() => nats.kill());
    shared = await shareEnvironment(nats, atEnd);
    [firstApi, secondApi, ...gateways] = await Promise.all([
      startApi(shared, atEnd),
      startApi(shared, atEnd),
      startGateway(shared, atEnd),
      startGateway(shared, atEnd),
    ]);
  });
  const group = async () => {
    const [tom, jerry] = await befriended(firstApi);
    return { tom, jerry, ...(await createGroup(firstApi, tom, jerry)) };
  };

  test('a message to either API is delivered by every process, once and in order', async () => {
    const [tom, jerry] = await befriended(firstApi);
    const clients = await Promise.all(processes().map((each) => listen(each, jerry)));
    const sent: string[] = [];
    for (let each = 0; each < 20; each++) {
      sent.push(`message ${each}`);
      await send(each % 2 === 0 ? firstApi : secondApi, tom, jerry, `message ${each}`);
    }
    for (const client of clients) await receivesExactly(client, sent);
  });

  test('the sockets of an account that one API disables are closed at every process', async () => {
    const [tom, jerry] = await befriended(secondApi);
    const ofJerry = await Promise.all(processes().map((each) => listen(each, jerry)));
    const ofTom = await Promise.all(processes().map((each) => listen(each, tom)));
    const disabled = { login_uid: jerry.uid, account_state: 'disabled' };
    expect(await firstApi.call('/api/user/update', 'server', disabled)).toMatchObject({ code: 0 });
    for (const client of ofJerry) expect(await client.ended()).toMatchObject({ code: 4009 });
    for (const client of ofTom) {
      await client.caughtUp();
      expect(client.closed).toBeUndefined();
    }
  });

  test('a user whose connections another backend ends is disconnected at every process, and may reconnect', async () => {
    const [tom, jerry] = await befriended(firstApi);
    const ofJerry = await Promise.all(processes().map((each) => listen(each, jerry)));
    const ofTom = await Promise.all(processes().map((each) => listen(each, tom)));
    const [lone] = gateways;
    await pusherServer(shared, lone?.port ?? 0).terminateUserConnections(String(jerry.uid));
    for (const client of ofJerry) expect(await client.ended()).toMatchObject({ code: 4009 });
    for (const client of ofTom) {
      await client.caughtUp();
      expect(client.closed).toBeUndefined();
    }
    for (const each of processes()) await listen(each, jerry);
  });

  test('a change of a group builds on what another API has just changed', async () => {
    const { tom, jerry, gid } = await group();
    await silence(secondApi, tom, gid, 0);
    for (let round = 0; round < 10; round++) {
      const handedOver = { login_uid: tom.uid, gid, uid: jerry.uid };
      expect(await firstApi.call('/api/group/transfer', 'server', handedOver)).toMatchObject({ code: 0 });
      expect(await silence(secondApi, tom, gid, 1)).toBe(2);
      const handedBack = { login_uid: jerry.uid, gid, uid: tom.uid };
      expect(await firstApi.call('/api/group/transfer', 'server', handedBack)).toMatchObject({ code: 0 });
    }
  });

  // Sending does not read the log: it decides on what the process has received from its subscription.
  test('a person who is muted through one API is refused by another as soon as it has read the log', async () => {
    const { tom, jerry, gid } = await group();
    const mute = async (api: Standalone, time: number) => {
      const member = { login_uid: tom.uid, gid, uid: jerry.uid, time };
      expect(await api.call('/api/group/forbiddenuser', 'server', member)).toMatchObject({ code: 0 });
    };
    const message = { login_uid: jerry.uid, to: gid, type: 'group', content: 'may I?' };
    const speak = async (api: Standalone) => (await api.call('/api/message/send', 'server', message)).code;
    expect(await speak(secondApi)).toBe(0);
    for (let round = 0; round < 5; round++) {
      await mute(firstApi, 3_600);
      expect(await speak(firstApi)).toBe(4);
      await expect.poll(() => speak(secondApi), patiently).toBe(4);
      await mute(secondApi, 0);
      expect(await speak(secondApi)).toBe(0);
      await expect.poll(() => speak(firstApi), patiently).toBe(0);
    }
  });
});

const given = {
  DATABASE_URL: 'postgres://127.0.0.1:1/nowhere',
  NATS_URL: 'nats://127.0.0.1:1',
  APP_KEY: 'key',
  APP_SECRET: 'secret-of-the-test',
};

test('a gateway alone without the address of its installation says so in one line, and ends', async () => {
  const { NATS_URL: _, ...withoutNats } = given;
  const programs = [{}, withoutNats].map((environment) =>
    startProgram('services/gateway.ts', [], { PORT: '0', ...environment }),
  );
  for (const program of programs) {
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toBe(
      'bubble-im: a gateway alone needs DATABASE_URL, NATS_URL, APP_KEY and APP_SECRET\n',
    );
  }
});

/** Mutes a whole group, or ends that. Returns the code of the answer. */
async function silence(api: Standalone, by: Person, gid: string, value: 0 | 1): Promise<number> {
  return (await api.call('/api/group/forbiddenall', 'server', { login_uid: by.uid, gid, value })).code;
}
