import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import { Installation } from './harness.ts';
import { numbersOf } from './numbered.ts';
import { opcodes, type RawFrame, RawSocket } from './raw-socket.ts';

const installation = await Installation.open();
const { gateway, port } = await installation.start({ frameBurst: 500, framesPerSecond: 1 });
const token = await installation.register(9);
afterAll(() => installation.close());

/** A well-behaved socket: after each test it has received all its events, once and in order. */
let beside: Client;
let sent = 0;
beforeAll(async () => {
  beside = await Client.connect(port, { token });
  await beside.subscribe('user-9');
});
afterEach(async () => {
  await installation.commit([{ channel: 'user-9', event: 'message', data: { number: sent++ } }]);
  await beside.wait('the next message', () => numbersOf(beside).includes(sent - 1) || undefined);
  await beside.caughtUp();
  await expect.poll(() => gateway.status().sockets, { timeout: 5_000 }).toBe(1);
  expect(numbersOf(beside)).toEqual(Array.from({ length: sent }, (_, number) => number));
});

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const subscribing = (channel: string) => `{"event":"pusher:subscribe","data":{"channel":${channel}}}`;

describe('a frame is answered by an error, and the connection stays, if it is', () => {
  test.each([
    ['10,000 levels deep', deep(10_000)],
    ['an event 10,000 levels deep', `{"event":${deep(10_000)}}`],
    ['a subscription 10,000 levels deep', `{"event":"pusher:subscribe","data":${deep(10_000)}}`],
    ['to a channel 10,000 levels deep', subscribing(deep(10_000))],
    ['to a channel that is a number', subscribing('9')],
    ['to a channel that is null', subscribing('null')],
    ['to a channel that is a list', subscribing('["user-9"]')],
    ['to a channel that is an object', subscribing('{"toString":"user-9"}')],
    ['a subscription whose data is text and no JSON', '{"event":"pusher:subscribe","data":"user-9"}'],
    ['an event with NUL in its name', '{"event":"pusher:subscribe\\u0000","data":{"channel":"news"}}'],
    ['an event of an object’s own', '{"event":"__proto__","data":{}}'],
    ['JSON with something behind it', '{"event":"pusher:ping"} {}'],
    ['JSON cut in the midst', '{"event":"pusher:subscribe","data":{"chan'],
    ['empty', ''],
  ])('%s', async (_, frame) => {
    const client = await Client.connect(port);
    client.send(frame);
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4300 } });
    await client.caughtUp();
    expect(client.frames.map(({ event }) => event)).not.toContain('pusher_internal:subscription_succeeded');
    await client.close();
  });
});

describe('a channel is refused, and the connection stays, if its name', () => {
  test.each([
    ['has NUL', 'user-9\u0000'],
    ['has CR LF', 'news\r\nuser-9'],
    ['has an emoji', 'news-😀'],
    ['has half a character', 'news-\ud83d'],
    ['has what NATS would take for all subjects', '>'],
    ['has what NATS would take for any subject', 'user-*'],
    ['is as long as a frame can be', 'x'.repeat(100 * 1024 - 300)],
  ])('%s', async (_, channel) => {
    const client = await Client.connect(port, { token });
    client.askSigned(channel, { user_id: '9' });
    const { data } = await client.received('pusher:subscription_error');
    expect(data).toMatchObject({ type: 'AuthError', status: 403 });
    client.send({ event: 'pusher:unsubscribe', data: { channel } });
    await client.caughtUp();
    await client.close();
  });
});

describe('a user on a presence channel', () => {
  test.each([
    ['NUL', 'anne\u0000'],
    ['half a character', 'anne\ud83d'],
  ])('is refused if the id has %s, and the others are not', async (_, userId) => {
    const [odd, anne] = [await Client.connect(port), await Client.connect(port)];
    odd.askSigned('presence-room', { user_id: userId });
    anne.askSigned('presence-room', { user_id: 'anne' });
    await odd.refused('presence-room');
    expect(await anne.subscribed('presence-room')).toMatchObject({ data: { presence: { ids: ['anne'] } } });
    await Promise.all([odd.close(), anne.close()]);
  });

  test('may have a user_info that is 60 levels deep, or has NUL', async () => {
    for (const info of [JSON.parse(deep(60)), { name: 'NUL\u0000' }]) {
      const client = await Client.connect(port);
      client.askSigned('presence-room', { user_id: 'anne', user_info: info });
      const { data } = await client.subscribed('presence-room');
      const list = { presence: { count: 1, ids: ['anne'], hash: { anne: info } } };
      expect(JSON.stringify(data)).toBe(JSON.stringify(list));
      await client.close();
      await expect
        .poll(async () => (await installation.pool.query('select from presence.members')).rowCount)
        .toBe(0);
    }
  });
});

test('a client event that is 60 levels deep reaches the others unchanged', async () => {
  const [one, other] = [await Client.connect(port), await Client.connect(port)];
  for (const client of [one, other]) {
    client.askSigned('private-room');
    await client.subscribed('private-room');
  }
  one.send(`{"event":"client-deep","channel":"private-room","data":${deep(60)}}`);
  const { data } = await other.received('client-deep');
  expect(JSON.stringify(data)).toBe(deep(60));
  await Promise.all([one.close(), other.close()]);
});

test.each([
  [
    'frames',
    'pusher:error',
    (client: Client) => client.send(`{"event":"pusher:subscribe","data":${deep(49_000)}}`),
  ],
  [
    'channel data',
    'pusher:subscription_error',
    (client: Client) => client.ask('presence-room', { channel_data: deep(49_000) }),
  ],
  [
    'data of client events',
    'pusher:error',
    (client: Client) => client.send({ event: 'client-x', data: deep(49_000) }),
  ],
])('ten %s of 49,000 levels are not parsed: they take less than 100 ms', async (_, refusal, send) => {
  // Parsing them needs more than that each time; on a busy machine other work may need it now and then.
  const times: number[] = [];
  while (times.length < 5 && !times.some((time) => time < 100)) {
    const client = await Client.connect(port);
    await client.caughtUp();
    const before = performance.eventLoopUtilization();
    for (let time = 0; time < 10; time++) send(client);
    await client.receivedTimes(refusal, 10);
    await client.caughtUp();
    times.push(performance.eventLoopUtilization(before).active);
    await client.close();
  }
  expect(Math.min(...times)).toBeLessThan(100);
});

test('a client event of more than 10 KB is refused, and one of 10 KB is not', async () => {
  const [one, other] = [await Client.connect(port), await Client.connect(port)];
  for (const client of [one, other]) {
    client.askSigned('private-room');
    await client.subscribed('private-room');
  }
  const send = (bytes: number) =>
    one.send({ event: 'client-long', channel: 'private-room', data: 'x'.repeat(bytes - 2) });
  send(10 * 1024 + 1);
  expect(await one.received('pusher:error')).toMatchObject({ data: { code: 4301 } });
  send(10 * 1024);
  await other.received('client-long');
  expect(other.receivedEvents()).toEqual(['private-room client-long']);
  await Promise.all([one.close(), other.close()]);
});

test('a client that sends more bytes than it may is closed with 4100', async () => {
  const client = await Client.connect(port);
  // 12 frames of 99,000 bytes are more than 1 MiB.
  for (let frame = 0; frame < 12; frame++) client.send('x'.repeat(99_000));
  expect(await client.ended()).toMatchObject({ code: 4100 });
  expect(client.frames.filter(({ event }) => event === 'pusher:error').length).toBeLessThanOrEqual(11);
});

describe('the connection is closed', () => {
  const { continuation, text, close, ping } = opcodes;
  const half = Buffer.from('{"event":"pusher:ping","data":"好"}');
  test.each<[number, string, RawFrame[]]>([
    [1002, 'a ping of more than 125 bytes', [{ opcode: ping, payload: 'x'.repeat(126) }]],
    [1002, 'a close of more than 125 bytes', [{ opcode: close, payload: 'x'.repeat(126) }]],
    [1002, 'a ping in pieces', [{ opcode: ping, last: false }]],
    [1002, 'a close with half a code', [{ opcode: close, payload: Buffer.from([3]) }]],
    [1002, 'a close with no such code', [{ opcode: close, payload: Buffer.from([0, 1]) }]],
    [1002, 'a frame without a mask', [{ opcode: text, masked: false, payload: '{}' }]],
    [1002, 'a frame with reserved bits', [{ opcode: text, reserved: 4, payload: '{}' }]],
    [1002, 'a frame of no known kind', [{ opcode: 3, payload: '{}' }]],
    [1002, 'a continuation of nothing', [{ opcode: continuation, payload: '{}' }]],
    [1002, 'a message within a message', [{ opcode: text, last: false }, { opcode: text }]],
    [
      1007,
      'text in pieces that is no UTF-8',
      [
        { opcode: text, last: false, payload: half.subarray(0, -4) },
        { opcode: continuation, payload: '"}' },
      ],
    ],
    [1009, 'a frame of 1 MB', [{ opcode: text, payload: 'x'.repeat(1_048_576) }]],
    [1009, 'a frame that says it is endless', [{ opcode: text, claims: 2n ** 63n - 1n }]],
    [
      1009,
      'a subscription to a channel of 1 MB',
      [{ opcode: text, payload: subscribing(JSON.stringify('x'.repeat(1_048_576))) }],
    ],
    [
      1009,
      'pieces that come to more than 100 KB',
      [
        { opcode: text, last: false, payload: 'x'.repeat(60_000) },
        { opcode: continuation, payload: 'x'.repeat(60_000) },
      ],
    ],
  ])('with %i for %s', async (code, _, frames) => {
    const socket = await RawSocket.connect(port);
    socket.send(...frames);
    expect(await socket.closeCode()).toBe(code);
  });

  test.each<[string, (client: Client) => void]>([
    ['text', ({ socket }) => socket.send('{"event":"pusher:pong"}')],
    ['text that cannot be read', ({ socket }) => socket.send('{')],
    ['binary', ({ socket }) => socket.send(Buffer.from([0]))],
    ['ping', ({ socket }) => socket.ping()],
    ['pong', ({ socket }) => socket.pong()],
  ])('with 4100 for too many frames of %s', async (_, send) => {
    const client = await Client.connect(port);
    for (let frame = 0; frame < 2_000 && client.closed === undefined; frame++) {
      send(client);
      if (frame % 10 === 0) await turn();
    }
    expect(await client.ended()).toMatchObject({ code: 4100 });
  });
});

test('arbitrary bytes do not stop the gateway', async () => {
  const sockets = await Promise.all(Array.from({ length: 50 }, () => RawSocket.connect(port)));
  for (const [index, socket] of sockets.entries()) {
    socket.send({
      opcode: (index * 7) % 16,
      last: index % 3 > 0,
      masked: index % 5 > 0,
      reserved: index % 8,
      payload: Buffer.from(Array.from({ length: index * 11 }, (_, byte) => (byte * index) % 256)),
    });
    socket.end();
  }
  await Promise.all(sockets.map((socket) => socket.closeCode()));
});
