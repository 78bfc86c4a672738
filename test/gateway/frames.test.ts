import { afterAll, describe, expect, test } from 'vitest';
import { maxFrameFragments } from '../../contracts/push/protocol.ts';
import { Client } from './client.ts';
import { Installation } from './harness.ts';
import { opcodes, RawSocket } from './raw-socket.ts';

const installation = await Installation.open();
const { gateway, port } = await installation.start({
  activityTimeoutSeconds: 1,
  pongTimeoutMs: 1_500,
  maxUnreadBytes: 262_144,
  maxSocketsPerUser: 2,
  maxSubscriptionsPerSocket: 3,
  maxSubscriptionsPerUser: 4,
  maxAnonymousSubscriptionsPerAddress: 60,
  clientEventBurst: 2,
  clientEventsPerSecond: 0.1,
});
const token = await installation.register(9);
await installation.register(10);
afterAll(() => installation.close());

describe('a frame that cannot be read', () => {
  test.each([
    'no json',
    '[]',
    'null',
    '{}',
    '{"event":7}',
    '{"event":"unheard-of"}',
    '{"event":"pusher:unheard-of"}',
    '{"event":"pusher:subscribe"}',
    '{"event":"pusher:subscribe","data":{"channel":7}}',
    '{"event":"pusher:unsubscribe","data":[]}',
    `{"event":"${'x'.repeat(201)}"}`,
  ])('%s is answered by an error frame, and the connection stays', async (frame) => {
    const client = await Client.connect(port);
    client.send(frame);
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4300 } });
    await client.caughtUp();
    await client.close();
  });

  test('a binary frame is answered by an error frame, and the connection stays', async () => {
    const client = await Client.connect(port);
    client.socket.send(Buffer.from('{"event":"pusher:ping"}'), { binary: true });
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4300 } });
    await client.close();
  });

  test('text that is not UTF-8 closes the connection', async () => {
    const client = await Client.connect(port);
    client.socket.send(Buffer.from([0x7b, 0xff, 0xfe]), { binary: false });
    expect(await client.ended()).toMatchObject({ code: 1007 });
  });

  test('more than 100 KB closes the connection', async () => {
    const client = await Client.connect(port);
    client.send({ event: 'client-x', data: 'x'.repeat(100 * 1024) });
    expect(await client.ended()).toMatchObject({ code: 1009 });
  });
});

describe('a frame in fragments', () => {
  const { continuation, text } = opcodes;
  /** The bytes of a ping of the protocol in that number of fragments; all but the first one are empty. */
  const fragmented = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      opcode: index === 0 ? text : continuation,
      last: index === count - 1,
      payload: index === 0 ? '{"event":"pusher:ping"}' : '',
    }));

  test('may have 32 of them, and no more', async () => {
    expect(maxFrameFragments).toBe(32);
    const [some, many] = [await RawSocket.connect(port), await RawSocket.connect(port)];
    some.send(...fragmented(32), { opcode: opcodes.close, payload: Buffer.from([3, 232]) });
    expect(await some.closeCode()).toBe(1000);
    many.send(...fragmented(33));
    expect(await many.closeCode()).toBe(1008);
  });
});

describe('ping and pong', () => {
  test('a ping is answered by a pong', async () => {
    const client = await Client.connect(port);
    client.send('{"event":"pusher:ping","data":{}}');
    expect(await client.received('pusher:pong')).toMatchObject({ data: {} });
    await client.close();
  });

  test('a silent client is pinged, and closed with 4201 if it does not answer', async () => {
    const client = await Client.connect(port);
    const raw: string[] = [];
    client.socket.on('message', (data) => raw.push(data.toString()));
    await client.received('pusher:ping');
    // webman's client parses the data of all frames but pongs as JSON text.
    expect(raw).toEqual(['{"event":"pusher:ping","data":"{}"}']);
    client.send({ event: 'pusher:pong', data: {} });
    await client.receivedTimes('pusher:ping', 2);
    expect(await client.ended()).toMatchObject({ code: 4201 });
  });
});

describe('client events', () => {
  test('reach all others on the channel, but not the sender', async () => {
    const [one, other] = [await Client.connect(port), await Client.connect(port)];
    for (const client of [one, other]) {
      client.askSigned('private-room');
      await client.subscribed('private-room');
    }
    one.send({ event: 'client-typing', channel: 'private-room', data: { who: 9 } });
    expect(await other.received('client-typing', 'private-room')).toMatchObject({ data: { who: 9 } });
    await one.caughtUp();
    expect(one.receivedEvents()).toEqual([]);
    await Promise.all([one.close(), other.close()]);
  });

  test('name their sender on presence channels', async () => {
    const [one, other] = [await Client.connect(port), await Client.connect(port)];
    one.askSigned('presence-room', { user_id: 'anne' });
    other.askSigned('presence-room', { user_id: 'bert' });
    await Promise.all([one.subscribed('presence-room'), other.subscribed('presence-room')]);
    one.send({ event: 'client-typing', channel: 'presence-room', data: 'a text' });
    expect(await other.received('client-typing')).toMatchObject({ data: 'a text', userId: 'anne' });
    await Promise.all([one.close(), other.close()]);
  });

  test.each(['public-room', 'private-elsewhere'])('are refused on %s', async (channel) => {
    const client = await Client.connect(port);
    client.ask('public-room');
    await client.subscribed('public-room');
    client.send({ event: 'client-typing', channel, data: {} });
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4301 } });
    await client.close();
  });

  test('beyond the limit are refused with 4301, and the connection stays', async () => {
    const client = await Client.connect(port);
    client.askSigned('private-room');
    await client.subscribed('private-room');
    for (let time = 0; time < 3; time++) {
      client.send({ event: 'client-typing', channel: 'private-room', data: {} });
    }
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4301 } });
    await client.caughtUp();
    await client.close();
  });
});

describe('limits', () => {
  test("a user's third socket is refused if two are allowed", async () => {
    const first = await Client.connect(port, { token });
    const second = await Client.connect(port, { token });
    expect(await Client.begin(port, { token }).ended()).toMatchObject({ code: 4004 });
    await first.close();
    const third = Client.begin(port, { token });
    await third.received('pusher:connection_established');
    await Promise.all([second.close(), third.close()]);
  });

  test("a socket's fourth subscription is refused if three are allowed", async () => {
    const client = await Client.connect(port);
    for (const name of ['a', 'b', 'c']) await client.subscribe(name);
    client.ask('d');
    await client.refused('d');
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'a' } });
    client.ask('d');
    await client.received('pusher_internal:subscription_succeeded', 'd');
    await client.close();
  });

  test("a user's fifth subscription over all their sockets is refused if four are allowed", async () => {
    const [first, second] = [await Client.connect(port, { token }), await Client.connect(port, { token })];
    for (const name of ['a', 'b', 'c']) await first.subscribe(name);
    await second.subscribe('a');
    second.ask('b');
    await second.refused('b');
    // A repeat replaces the one before it.
    await second.subscribe('a');
    first.send({ event: 'pusher:unsubscribe', data: { channel: 'a' } });
    await first.caughtUp();
    second.ask('b');
    await second.received('pusher_internal:subscription_succeeded', 'b');
    await first.close();
    await second.subscribe('c');
    await second.close();
  });

  test('anonymous sockets of an address together have a maximum of their own', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => Client.connect(port)));
    for (const client of clients) for (const name of ['a', 'b', 'c']) await client.subscribe(name);
    const last = await Client.connect(port);
    last.ask('a');
    await last.refused('a');
    const known = await Client.connect(port, { token });
    await known.subscribe('a');
    await Promise.all([...clients, last, known].map((client) => client.close()));
    const next = await Client.connect(port);
    for (const name of ['a', 'b']) await next.subscribe(name);
    await next.close();
  });

  test('clients that do not read are cut off, and the others get everything', async () => {
    const subscribed = async (channel: string) => {
      const client = await Client.connect(port);
      await client.subscribe(channel);
      return client;
    };
    const quick = await subscribed('global');
    const slow = await Promise.all(Array.from({ length: 50 }, () => subscribed('global')));
    for (const { socket } of slow) socket.pause();
    const content = 'x'.repeat(60_000);
    let sent = 0;
    for (; sent < 1_000 && gateway.status().sockets > 1; await quick.receivedTimes('settingChange', sent)) {
      await installation.commit([
        { channel: 'global', event: 'settingChange', data: { content, sent: ++sent } },
      ]);
      // On a slow machine this takes longer than a silent client may stay.
      quick.send({ event: 'pusher:pong' });
    }
    expect(gateway.status().sockets).toBe(1);
    for (const client of slow) {
      client.socket.resume();
      expect(await client.ended()).toMatchObject({ code: 1006 });
      expect(client.receivedEvents().length).toBeLessThan(sent);
    }
    expect(quick.frames.flatMap(({ event, data }) => (event === 'settingChange' ? [data] : []))).toEqual(
      Array.from({ length: sent }, (_, index) => expect.objectContaining({ sent: index + 1 })),
    );
    await quick.close();
  });
});

test('draining closes every socket with 4200', async () => {
  const { gateway, port: another } = await installation.start();
  const client = await Client.connect(another);
  const drained = gateway.drain();
  expect(await client.ended()).toMatchObject({ code: 4200 });
  await drained;
  expect(gateway.status().sockets).toBe(0);
});
