import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { FastifyReply } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { tokenHash } from '../../services/accounts/token-hash.ts';
import { growingAnswers } from '../../services/api/audit/lines.ts';
import { PiecedRequest } from '../../services/api/bodies/body-pieces.ts';
import { createHttp } from '../../services/api/http.ts';
import { type ConnectionLimits, connectionLimits } from '../../services/api/http-limits.ts';
import { trustNone } from '../../services/edge/proxies.ts';

const limits: ConnectionLimits = {
  ...connectionLimits,
  ...{ headersMs: 300, checkMs: 50, silenceMs: 600, keepAliveMs: 300, bodyPeriodMs: 300, minBodyBytes: 100 },
  ...{ answerTimeoutMs: 300, maxUnreadBytes: 20_000_000, answerBytesPerSecond: 1e9 },
};
const large = 'x'.repeat(9_000_000);
/** Not watched for how fast it is read. */
const medium = 'x'.repeat(connectionLimits.smallAnswerBytes);

const warnings: string[] = [];
/** What became of calls whose client had gone. */
const late: string[] = [];
let port: number;
let asked = 0;
let connections: () => Promise<number>;
let close: () => Promise<void>;
beforeAll(async () => {
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const server = await createHttp(logger, trustNone, limits);
  server.get('/medium', async () => medium);
  server.get('/small', async () => ({ small: true }));
  server.get('/large', async () => large);
  const { promise: never } = Promise.withResolvers<void>();
  server.get('/never', () => {
    asked += 1;
    return never;
  });
  const gone = ({ raw }: FastifyReply) => new Promise((resolve) => raw.once('close', resolve));
  const caller = { kind: 'user', uid: Uid.parse(1), tokenHash: tokenHash('x') } as const;
  server.get('/own', async (request) => {
    request.caller = caller;
    return large;
  });
  server.get('/own-late', async (request, reply) => {
    request.caller = caller;
    reply.raw.once('close', () => setImmediate(() => late.push('answered')));
    await gone(reply);
    return large;
  });
  const sendLines = growingAnswers(server, () => undefined);
  server.get('/late-lines', async (_request, reply) => {
    await gone(reply);
    return sendLines(reply, async (_write, { aborted }) => {
      late.push(aborted ? 'ended' : 'goes on');
    });
  });
  server.get('/stream', async (_request, reply) =>
    reply.send(Readable.from(Array(200).fill(large.slice(0, 100_000)))),
  );
  server.post('/', async ({ body }) => ({ body }));
  server.server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
  port = Number(new URL(await server.listen({ port: 0, host: '127.0.0.1' })).port);
  connections = promisify(server.server.getConnections.bind(server.server));
  close = () => server.close();
});
afterAll(() => close());

async function open(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const ask = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const post = (headers: string, body = '') =>
  `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;

/** Sends a byte every 50 ms until the connection is closed; gives what was answered. */
async function trickle(socket: Socket, first: string, byte: string): Promise<string> {
  socket.write(first);
  const timer = setInterval(() => socket.write(byte), 50);
  const answer = await text(socket).catch(() => 'cut off');
  clearInterval(timer);
  return answer;
}

describe('a connection is closed', () => {
  test('on which nothing comes', async () => {
    expect(await text(await open())).toMatch(/^HTTP\/1\.1 408 .*"code":408/s);
  });

  test('on which the headers come slowly', async () => {
    expect(await trickle(await open(), 'GET /small HTTP/1.1\r\nx: ', 'x')).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('on which a body comes slowly, with or without its length', async () => {
    for (const length of ['Content-Length: 90000', 'Transfer-Encoding: chunked']) {
      const byte = length.startsWith('T') ? '1\r\n \r\n' : ' ';
      expect(await trickle(await open(), post(length), byte), length).toMatch(/^HTTP\/1\.1 408 /);
    }
  });

  test('after its answer, when no further request comes', async () => {
    const socket = await open();
    socket.write(ask('/small'));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"small":true\}$/s);
  });

  test.each(['/large', '/stream'])('whose answer is not read: %s', async (path) => {
    const socket = await open();
    socket.pause();
    socket.write(ask(path));
    await vi.waitFor(async () => expect(await connections()).toBeGreaterThan(0));
    await vi.waitFor(async () => expect(await connections()).toBe(0), { timeout: 5_000 });
    const closed = once(socket, 'close');
    socket.resume();
    await closed;
    expect(socket.bytesRead).toBeLessThan(large.length);
  });
});

test('a body that comes fast enough is read, and so are the requests after it', async () => {
  const socket = await open();
  const body = `"${'x'.repeat(20_000)}"`;
  socket.write(post(`Content-Length: ${body.length}`));
  let at = 0;
  // For 1 s: three periods in which a body could be found too slow.
  const timer = setInterval(() => {
    socket.write(body.slice(at, at + 1_000));
    at += 1_000;
    if (at < body.length) return;
    clearInterval(timer);
    socket.write(ask('/small', 'Connection: close\r\n'));
  }, 50);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*HTTP\/1\.1 200 .*\{"small":true\}$/s);
});

describe('a body in pieces', () => {
  /** A body of JSON with blanks before it, as that many chunks of a byte or more, and the next request. */
  const chunks = (count: number, bytes = 1) => {
    const piece = `${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`;
    return `${piece.repeat(count)}1\r\n1\r\n0\r\n\r\n${ask('/small', 'Connection: close\r\n')}`;
  };
  const send = async (body: string) => {
    const socket = await open();
    socket.write(post('Transfer-Encoding: chunked', body));
    return text(socket).catch(() => 'cut off');
  };

  test('in chunks of a byte may have 250 of them', async () => {
    expect(await send(chunks(249))).toMatch(
      /^HTTP\/1\.1 200 .*\{"body":1\}HTTP\/1\.1 200 .*\{"small":true\}$/s,
    );
  });

  test('in chunks of a byte is cut off beyond that', async () => {
    expect(await send(chunks(250))).toMatch(/^HTTP\/1\.1 400 .*"code":2,[^}]*\}$/s);
  });

  test('is not read to the end of a packet that holds 10,000 of them and another request', async () => {
    const push = vi.spyOn(PiecedRequest.prototype, 'push');
    const before = asked;
    expect(await send(chunks(10_000).replace('/small', '/never'))).toMatch(/^HTTP\/1\.1 400 /);
    expect(push.mock.calls.length).toBeLessThan(300);
    expect(asked).toBe(before);
    expect(await send(chunks(200))).toMatch(/\{"body":1\}.*\{"small":true\}$/s);
    push.mockRestore();
  });

  test.each([
    ['without a host', post('Transfer-Encoding: chunked', '').replace('Host: x\r\n', '')],
    ['that expects what nobody knows', post('Transfer-Encoding: chunked\r\nExpect: x', '')],
    [
      'that asks for an upgrade',
      post('Transfer-Encoding: chunked\r\nConnection: Upgrade\r\nUpgrade: websocket', ''),
    ],
    ['that asks for a tunnel', post('Transfer-Encoding: chunked', '').replace('POST /', 'CONNECT x:1')],
    [
      'behind one that was cut off',
      post('Transfer-Encoding: chunked', chunks(250)) + post('Transfer-Encoding: chunked', ''),
    ],
  ])('is not read to the end of a packet either in a request %s', async (_, request) => {
    const push = vi.spyOn(PiecedRequest.prototype, 'push');
    const socket = await open();
    socket.write(request + chunks(9_000) + ask('/small').repeat(500));
    expect(await text(socket).catch(() => 'cut off')).not.toMatch(/ 200 /);
    expect(push.mock.calls.length).toBeLessThan(300);
    push.mockRestore();
  });

  test('may have a thousand packets', () => {
    const socket = new Socket();
    const request = new PiecedRequest(socket);
    for (let packet = 0; packet < 1_000; packet++) request.push(Buffer.from('x'));
    expect(socket.destroyed).toBe(false);
    // The bytes of the first thousand allow one more.
    for (let packet = 0; packet < 2; packet++) request.push(Buffer.from('x'));
    expect(socket.destroyed).toBe(true);
  });

  test('of 512 bytes may have any number', async () => {
    expect(await send(chunks(500, 512))).toMatch(/\{"body":1\}.*\{"small":true\}$/s);
    expect(await send(chunks(1_300, 100))).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('is cut off without a second answer if it was refused before', async () => {
    const socket = await open();
    socket.write(`POST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /);
    socket.write(chunks(1_001));
    expect(await text(socket).catch(() => '')).toBe('');
  });

  test.each([
    ['is dropped up to 256 KB', 4, true],
    ['is cut off beyond 256 KB', 5, false],
  ])('in chunks %s if it was refused before', async (_, count, goesOn) => {
    const socket = await open();
    const given = text(socket).catch(() => 'cut off');
    socket.write('POST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await vi.waitFor(() => expect(socket.bytesRead).toBeGreaterThan(0));
    const piece = `fff0\r\n${' '.repeat(0xfff0)}\r\n`;
    socket.write(`${piece.repeat(count)}0\r\n\r\n${ask('/small', 'Connection: close\r\n')}`);
    expect((await given).includes('{"small":true}')).toBe(goesOn);
  });

  test('is dropped up to its length if it was refused before, and the next body is read', async () => {
    const socket = await open();
    socket.write(`POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n`);
    await once(socket, 'data');
    const push = vi.spyOn(PiecedRequest.prototype, 'push');
    socket.write('x'.repeat(300_000) + post('Connection: close\r\nContent-Length: 1', '2'));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"body":2\}$/s);
    expect(push.mock.calls.map(([piece]) => String(piece))).toEqual(['null', '2', 'null']);
    push.mockRestore();
  });
});

test('up to ten requests of a connection may be under way', async () => {
  const socket = await open();
  socket.write(ask('/never').repeat(11));
  await vi.waitFor(() => expect(asked).toBe(10));
  expect((await fetch(`http://127.0.0.1:${port}/small`)).status).toBe(200);
  expect(asked).toBe(10);
  socket.destroy();
});

test('a connection is cut off that brings many requests at once, before any work is done for them', async () => {
  const socket = await open();
  socket.write(ask('/small').repeat(1_000));
  expect(await text(socket).catch(() => '')).toBe('');
});

test('a connection is cut off as soon for requests without a host', async () => {
  const socket = await open();
  socket.write('GET /small HTTP/1.1\r\n\r\n'.repeat(1_000));
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^{]*\{"code":2,[^}]*\}$/s);
});

test('a connection is cut off as soon for requests with an expectation, a single one of which is served', async () => {
  const expecting = (more = '') => ask('/small', `Expect: x\r\n${more}`);
  const flooding = await open();
  flooding.write(expecting().repeat(1_000));
  expect(await text(flooding).catch(() => '')).toBe('');
  const socket = await open();
  socket.write(expecting('Connection: close\r\n'));
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"small":true\}$/s);
});

test('every body is read whole, and by its own request, beside connections that are cut off or hang up', async () => {
  const tiny = post('Transfer-Encoding: chunked', `${'1\r\n \r\n'.repeat(260)}0\r\n\r\n`);
  const refused = `POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n`;
  const hostile = [tiny, refused, `${refused}${'x'.repeat(90_000)}${refused}${'x'.repeat(80_000)}`];
  const attacks = Array.from({ length: 150 }, async (_, index) => {
    const socket = await open();
    socket.write(hostile[index % hostile.length] ?? '');
    socket.once('data', () => socket.destroy());
    await text(socket).catch(() => '');
  });
  const bodies = Array.from({ length: 150 }, (_, index) => `"${`${index}`.repeat(5_000)}"`);
  const answers = bodies.map(async (body) => {
    const socket = await open();
    socket.write(`${refused}${'x'.repeat(90_000)}`);
    await once(socket, 'data');
    const end = post(`Connection: close\r\nContent-Length: ${body.length}`, body);
    for (const piece of [end.slice(0, 3_000), end.slice(3_000)]) socket.write(piece);
    return (await text(socket)).endsWith(`{"body":${body}}`);
  });
  expect(await Promise.all(answers)).toEqual(bodies.map(() => true));
  await Promise.all(attacks);
});

test('a body of which the rest never comes, after a refusal, is watched no longer than its connection', async () => {
  const begin = vi.spyOn(globalThis, 'setInterval');
  const end = vi.spyOn(globalThis, 'clearInterval');
  const socket = await open();
  socket.write(`POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n`);
  await once(socket, 'data');
  const watches = begin.mock.calls.flatMap(([, ms], index) =>
    ms === limits.bodyPeriodMs ? [begin.mock.results[index]?.value] : [],
  );
  expect(watches).toHaveLength(1);
  socket.destroy();
  await vi.waitFor(() => expect(end.mock.calls.some(([timer]) => timer === watches[0])).toBe(true));
  vi.restoreAllMocks();
});

test('answers that a caller does not read come to a bound', async () => {
  const sockets = await Promise.all(Array.from({ length: 2 }, open));
  for (const socket of sockets) {
    socket.pause();
    socket.write(ask('/large'));
  }
  const status = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/large`);
    await answer.arrayBuffer();
    return answer.status;
  };
  await vi.waitFor(async () => expect(await status()).toBe(429), { interval: 10 });
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(async () => expect(await status()).toBe(200), { timeout: 5_000 });
});

test('smaller answers come to the same bound, and a refusal is given all the same', async () => {
  const sockets = await Promise.all(Array.from({ length: 40 }, open));
  // Nine wait on each connection behind one that is not answered.
  for (const socket of sockets) socket.write(ask('/never') + ask('/medium').repeat(9));
  const status = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/medium`);
    await answer.arrayBuffer();
    return answer.status;
  };
  await vi.waitFor(async () => expect(await status()).toBe(429), { interval: 10 });
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(async () => expect(await status()).toBe(200), { timeout: 5_000 });
});

/** Asks for something, and hangs up as soon as the server has read it. */
async function askAndGo(path: string): Promise<void> {
  const before = late.length;
  const socket = await open();
  socket.write(ask(path));
  socket.end();
  await vi.waitFor(() => expect(late.length).toBe(before + 1));
  socket.destroy();
}

test('answers to clients that have gone do not count as unread', async () => {
  for (let count = 0; count < 4; count++) await askAndGo('/own-late');
  const answer = await fetch(`http://127.0.0.1:${port}/own`);
  expect((await answer.text()).length).toBe(large.length);
  expect(answer.status).toBe(200);
});

test('an answer that grows ends at once if its client has gone', async () => {
  await askAndGo('/late-lines');
  expect(late.at(-1)).toBe('ended');
});

test('a client that hangs up within a body leaves no warning', async () => {
  const socket = await open();
  socket.write(post('Content-Length: 100', '"x'));
  await vi.waitFor(async () => expect(await connections()).toBeGreaterThan(0));
  socket.destroy();
  await vi.waitFor(async () => expect(await connections()).toBe(0));
  expect(warnings).toEqual([]);
});

describe('an upgrade', () => {
  const upgrade = (to: string) =>
    `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${to}\r\nHTTP2-Settings: AAMAAABk\r\n`;

  test.concurrent.each(['h2c', 'TLS/1.0', 'websockets', 'h2c, websocket'])(
    'to %s is not accepted, and the request is served',
    async (to) => {
      const socket = await open();
      socket.write(ask('/small', upgrade(to)));
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"small":true\}$/s);
      const posting = await open();
      posting.write(post(`Content-Length: 3\r\n${upgrade(to).trimEnd()}`, '"x"'));
      expect(await text(posting)).toMatch(/^HTTP\/1\.1 200 .*\{"body":"x"\}$/s);
    },
  );

  test('to websocket is not accepted with a body, and the request is served', async () => {
    const socket = await open();
    socket.write(post(`Content-Length: 3\r\nConnection: Upgrade\r\nUpgrade: websocket`, '"x"'));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"body":"x"\}$/s);
  });

  test.each(['websocket', 'WebSocket'])('to %s is accepted', async (to) => {
    const socket = await open();
    socket.write(ask('/small', upgrade(to)));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 101 /);
  });
});

test('the times and sizes are those on the page of limits', () => {
  expect(connectionLimits).toEqual({
    ...{ headersMs: 15_000, silenceMs: 60_000, keepAliveMs: 72_000, checkMs: 5_000 },
    ...{ bodyPeriodMs: 20_000, minBodyBytes: 20_480, smallAnswerBytes: 65_536, answerTimeoutMs: 30_000 },
    ...{ answerBytesPerSecond: 16_384, maxUnreadBytes: 67_108_864, maxPipelined: 10 },
  });
});
