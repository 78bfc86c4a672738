import PusherServer from 'pusher';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { PresencePush } from '../../contracts/push/friend.ts';
import type { Client } from '../gateway/client.ts';
import {
  befriended,
  heard,
  inOrder,
  lastPosition,
  listen,
  type Person,
  patiently,
  Sending,
  send,
} from '../support/conversation.ts';
import {
  kill,
  type LoneGateway,
  projectingPid,
  type SharedEnvironment,
  shareEnvironment,
  startApi,
  startGateway,
} from '../support/many.ts';
import { type NatsServer, natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { type AtEnd, startProgram } from '../support/process.ts';
import type { Standalone } from '../support/standalone.ts';

/** Waits until a client has heard all of these, and looks that it heard each once and nothing else. */
async function hasHeardExactly(client: Client, contents: readonly string[]): Promise<void> {
  await vi.waitUntil(() => heard(client).length >= contents.length, patiently);
  await client.caughtUp();
  expect(heard(client)).toEqual(contents);
}

const several = describe.skipIf(!natsServerIsInstalled);

several('several processes on one database (needs nats-server)', { timeout: 90_000 }, () => {
  let nats: NatsServer;
  beforeAll(async () => {
    nats = await natsServer();
    await nats.start();
  });
  afterAll(() => nats.kill());

  describe('two APIs and two gateways beside them', () => {
    let firstApi: Standalone;
    let secondApi: Standalone;
    let gateways: readonly LoneGateway[];
    const processes = () => [firstApi, secondApi, ...gateways];
    const ends: (() => void | Promise<void>)[] = [];
    const atEnd: AtEnd = (end) => void ends.push(end);
    beforeAll(async () => {
      const shared = await shareEnvironment(nats, atEnd);
      [firstApi, secondApi, ...gateways] = await Promise.all([
        startApi(shared, atEnd),
        startApi(shared, atEnd),
        startGateway(shared, atEnd),
        startGateway(shared, atEnd),
      ]);
    });
    afterAll(async () => {
      for (const end of ends.toReversed()) await end();
    });
    const group = async () => {
      const [tom, jerry] = await befriended(firstApi);
      return { tom, jerry, gid: await createGroup(firstApi, tom, jerry) };
    };

    test('what is sent to either API is heard on every process, once and in order', async () => {
      const [tom, jerry] = await befriended(firstApi);
      const clients = await Promise.all(processes().map((each) => listen(each, jerry)));
      const sent: string[] = [];
      for (let each = 0; each < 20; each++) {
        sent.push(`message ${each}`);
        await send(each % 2 === 0 ? firstApi : secondApi, tom, jerry, `message ${each}`);
      }
      for (const client of clients) await hasHeardExactly(client, sent);
    });

    test('an account that one API disables is cut off at every process', async () => {
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

    test('a group is changed on what another API has just done to it', async () => {
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

    // Sending reads nothing: it goes by what the log's tail has told the process.
    test('who is muted through one API is refused by another as soon as the log has told it', async () => {
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

  test('a client of a gateway that is killed goes on at another one, and has each message once', async () => {
    const shared = await shareEnvironment(nats);
    const [api, mortal, other] = await Promise.all([
      startApi(shared),
      startGateway(shared),
      startGateway(shared),
    ]);
    const [tom, jerry] = await befriended(api);
    const before = await listen(mortal, jerry);
    const sending = new Sending(api, tom, jerry, 'message');
    await vi.waitUntil(() => heard(before).length >= 10, patiently);
    await kill(mortal);
    await before.ended();
    await sending.more(10);
    const after = await listen(other, jerry, lastPosition(before));
    await sending.more(10);
    await sending.stop();
    await hasHeardExactly(after, sending.acknowledged.slice(heard(before).length));
    expect([...heard(before), ...heard(after)]).toEqual(sending.acknowledged);
  });

  test('where the process of the projector is killed another goes on, and nothing acknowledged is missing', async () => {
    const shared = await shareEnvironment(nats);
    const [firstApi, secondApi, gateway] = await Promise.all([
      startApi(shared),
      startApi(shared),
      startGateway(shared),
    ]);
    const [tom, jerry] = await befriended(firstApi);
    const firstProjects = (await projectingPid(shared)) === firstApi.program.pid;
    const [mortal, other] = firstProjects ? [firstApi, secondApi] : [secondApi, firstApi];
    expect(await projectingPid(shared)).toBe(mortal.program.pid);
    const clients = await Promise.all([other, gateway].map((each) => listen(each, jerry)));
    const broken = new Sending(mortal, tom, jerry, 'broken');
    const kept = new Sending(other, tom, jerry, 'kept');
    await Promise.all([broken.more(10), kept.more(10)]);
    await kill(mortal);
    await broken.brokeOff();
    const afterwards = kept.acknowledged.length;
    const heardOf = () => clients.map((client) => kept.heardBy(client).length);
    await vi.waitUntil(() => heardOf().every((count) => count > afterwards + 1), {
      timeout: 10_000,
      interval: 20,
    });
    expect(await projectingPid(shared)).toBe(other.program.pid);
    await kept.more(5);
    await kept.stop();
    // The one under way when the process was killed is kept or not: nobody was told.
    const underWay = `broken ${broken.acknowledged.length}`;
    for (const client of clients) {
      await vi.waitUntil(() => kept.heardBy(client).length >= kept.acknowledged.length, patiently);
      await client.caughtUp();
      expect(kept.heardBy(client)).toEqual(kept.acknowledged);
      expect(broken.heardBy(client).filter((content) => content !== underWay)).toEqual(broken.acknowledged);
      expect(broken.heardBy(client).length - broken.acknowledged.length).toBeLessThanOrEqual(1);
      expect(inOrder(client)).toBe(true);
      expect(heard(client)).toEqual(heard(clients[0] ?? client));
    }
  });

  test('over a restart of NATS a client that stays connected hears each push once', async () => {
    const mortal = await natsServer();
    await mortal.start();
    try {
      const shared = await shareEnvironment(mortal);
      const [firstApi, secondApi, gateway] = await Promise.all([
        startApi(shared),
        startApi(shared),
        startGateway(shared),
      ]);
      const [tom, jerry] = await befriended(firstApi);
      const clients = await Promise.all([gateway, secondApi].map((each) => listen(each, jerry)));
      const sendings = [
        new Sending(firstApi, tom, jerry, 'first'),
        new Sending(secondApi, tom, jerry, 'second'),
      ];
      const more = (count: number) => Promise.all(sendings.map((sending) => sending.more(count)));
      await more(10);
      await mortal.kill();
      await more(2);
      await mortal.start();
      await more(10);
      for (const sending of sendings) await sending.stop();
      const all = sendings.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
      for (const client of clients) {
        await vi.waitUntil(() => heard(client).length >= all, patiently);
        await client.caughtUp();
        for (const sending of sendings) expect(sending.heardBy(client)).toEqual(sending.acknowledged);
        expect(inOrder(client)).toBe(true);
      }
    } finally {
      await mortal.kill();
    }
  });

  test('who was online through a killed gateway alone is offline for the others within 20 s', async () => {
    const shared = await shareEnvironment(nats);
    const [api, mortal, other] = await Promise.all([
      startApi(shared),
      startGateway(shared),
      startGateway(shared),
    ]);
    const [tom, jerry] = await befriended(api);
    const channel = `presence-group-${await createGroup(api, tom, jerry)}`;
    const atTom = await listen(other, tom);
    atTom.askSigned(channel, { user_id: String(tom.uid) });
    await atTom.subscribed(channel);
    const atJerry = await listen(mortal, jerry);
    atJerry.askSigned(channel, { user_id: String(jerry.uid) });
    await atJerry.subscribed(channel);
    const statesOfJerry = () =>
      atTom.frames
        .filter(({ event }) => event === 'presence')
        .map(({ data }) => PresencePush.parse(data))
        .filter(({ uid }) => uid === jerry.uid)
        .map(({ state }) => state);
    const seen = async () => ({
      jerry: await stateOf(api, jerry),
      tom: await stateOf(api, tom),
      here: await usersOn(shared, other.port, channel),
      there: await usersOn(shared, api.port, channel),
      told: statesOfJerry(),
    });
    await expect
      .poll(seen, patiently)
      .toEqual({ jerry: 'online', tom: 'online', here: 2, there: 2, told: ['online'] });
    await kill(mortal);
    await expect.poll(() => stateOf(api, jerry), { timeout: 20_000, interval: 100 }).toBe('offline');
    await expect
      .poll(seen, patiently)
      .toEqual({ jerry: 'offline', tom: 'online', here: 1, there: 1, told: ['online', 'offline'] });
  });
});

const given = {
  DATABASE_URL: 'postgres://127.0.0.1:1/nowhere',
  NATS_URL: 'nats://127.0.0.1:1',
  APP_KEY: 'key',
  APP_SECRET: 'secret',
};

test('a gateway alone that is not told where its installation is says so in one line, and ends', async () => {
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

async function createGroup(api: Standalone, owner: Person, member: Person): Promise<string> {
  const group = { login_uid: owner.uid, 'members[]': member.uid, groupname: 'two' };
  const { data } = await api.call('/api/group/create', 'server', group);
  return z.object({ gid: z.string() }).parse(data).gid;
}

/** Mutes a whole group, or lets it speak; gives the code of the answer. */
async function silence(api: Standalone, by: Person, gid: string, value: 0 | 1): Promise<number> {
  return (await api.call('/api/group/forbiddenall', 'server', { login_uid: by.uid, gid, value })).code;
}

async function stateOf(api: Standalone, { uid }: Person): Promise<string> {
  const { data } = await api.call('/api/user/get', 'server', { uid });
  return z.object({ state: z.string() }).parse(data).state;
}

/** How many people are on a presence channel, as one process tells for all. */
async function usersOn(
  { APP_ID: appId, APP_KEY: key, APP_SECRET: secret }: SharedEnvironment,
  port: number,
  channel: string,
): Promise<number> {
  const server = new PusherServer({ appId, key, secret, host: '127.0.0.1', port: String(port) });
  const answer = await server.get({ path: `/channels/${channel}`, params: { info: 'user_count' } });
  return z.object({ user_count: z.int().default(0) }).parse(await answer.json()).user_count;
}
