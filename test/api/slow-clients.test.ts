import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { tokenHash } from '../../services/accounts/token-hash.ts';
import { growingAnswers } from '../../services/api/audit/lines.ts';
import { connectionLimits } from '../../services/api/http-limits.ts';
import { ask, post, type RawServer, shortLimits, startRawServer } from '../support/raw-server.ts';

const large = 'x'.repeat(9_000_000);
/** Not watched for how fast it is read. */
const medium = 'x'.repeat(connectionLimits.smallAnswerBytes);

const warnings: string[] = [];
/** What became of calls whose client had gone. */
const late: string[] = [];
let server: RawServer;
beforeAll(async () => {
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  server = await startRawServer(logger, addRoutes);
});
afterAll(() => server.close());

function addRoutes(routes: FastifyInstance): void {
  routes.get('/medium', async () => medium);
  routes.get('/large', async () => large);
  const gone = ({ raw }: FastifyReply) => new Promise((resolve) => raw.once('close', resolve));
  const caller = { kind: 'user', uid: Uid.parse(1), tokenHash: tokenHash('x') } as const;
  routes.get('/own', async (request) => {
    request.caller = caller;
    return large;
  });
  routes.get('/own-late', async (request, reply) => {
    request.caller = caller;
    reply.raw.once('close', () => setImmediate(() => late.push('answered')));
    await gone(reply);
    return large;
  });
  const sendLines = growingAnswers(routes, () => undefined);
  routes.get('/late-lines', async (_request, reply) => {
    await gone(reply);
    return sendLines(reply, async (_write, { aborted }) => {
      late.push(aborted ? 'ended' : 'goes on');
    });
  });
  routes.get('/stream', async (_request, reply) =>
    reply.send(Readable.from(Array(200).fill(large.slice(0, 100_000)))),
  );
}

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
    expect(await text(await server.open())).toMatch(/^HTTP\/1\.1 408 .*"code":408/s);
  });

  test('on which the headers come slowly', async () => {
    expect(await trickle(await server.open(), 'GET /small HTTP/1.1\r\nx: ', 'x')).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('on which a body comes slowly, with or without its length', async () => {
    for (const length of ['Content-Length: 90000', 'Transfer-Encoding: chunked']) {
      const byte = length.startsWith('T') ? '1\r\n \r\n' : ' ';
      expect(await trickle(await server.open(), post(length), byte), length).toMatch(/^HTTP\/1\.1 408 /);
    }
  });

  test('after its answer, when no further request comes', async () => {
    const socket = await server.open();
    socket.write(ask('/small'));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"small":true\}$/s);
  });

  test.each(['/large', '/stream'])('whose answer is not read: %s', async (path) => {
    const socket = await server.open();
    socket.pause();
    socket.write(ask(path));
    await vi.waitFor(async () => expect(await server.connections()).toBeGreaterThan(0));
    await vi.waitFor(async () => expect(await server.connections()).toBe(0), { timeout: 5_000 });
    const closed = once(socket, 'close');
    socket.resume();
    await closed;
    expect(socket.bytesRead).toBeLessThan(large.length);
  });
});

test('a body that comes fast enough is read, and so are the requests after it', async () => {
  const socket = await server.open();
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

test('a body of which the rest never comes, after a refusal, is watched no longer than its connection', async () => {
  const begin = vi.spyOn(globalThis, 'setInterval');
  const end = vi.spyOn(globalThis, 'clearInterval');
  const socket = await server.open();
  socket.write(`POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n`);
  await once(socket, 'data');
  const watches = begin.mock.calls.flatMap(([, ms], index) =>
    ms === shortLimits.bodyPeriodMs ? [begin.mock.results[index]?.value] : [],
  );
  expect(watches).toHaveLength(1);
  socket.destroy();
  await vi.waitFor(() => expect(end.mock.calls.some(([timer]) => timer === watches[0])).toBe(true));
  vi.restoreAllMocks();
});

test('answers that a caller does not read come to a bound', async () => {
  const sockets = await Promise.all(Array.from({ length: 2 }, () => server.open()));
  for (const socket of sockets) {
    socket.pause();
    socket.write(ask('/large'));
  }
  const status = async () => {
    const answer = await fetch(`${server.url}/large`);
    await answer.arrayBuffer();
    return answer.status;
  };
  await vi.waitFor(async () => expect(await status()).toBe(429), { interval: 10 });
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(async () => expect(await status()).toBe(200), { timeout: 5_000 });
});

test('smaller answers come to the same bound, and a refusal is given all the same', async () => {
  const sockets = await Promise.all(Array.from({ length: 40 }, () => server.open()));
  // Nine wait on each connection behind one that is not answered.
  for (const socket of sockets) socket.write(ask('/never') + ask('/medium').repeat(9));
  const status = async () => {
    const answer = await fetch(`${server.url}/medium`);
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
  const socket = await server.open();
  socket.write(ask(path));
  socket.end();
  await vi.waitFor(() => expect(late.length).toBe(before + 1));
  socket.destroy();
}

test('answers to clients that have gone do not count as unread', async () => {
  for (let count = 0; count < 4; count++) await askAndGo('/own-late');
  const answer = await fetch(`${server.url}/own`);
  expect((await answer.text()).length).toBe(large.length);
  expect(answer.status).toBe(200);
});

test('an answer that grows ends at once if its client has gone', async () => {
  await askAndGo('/late-lines');
  expect(late.at(-1)).toBe('ended');
});

test('a client that hangs up within a body leaves no warning', async () => {
  const socket = await server.open();
  socket.write(post('Content-Length: 100', '"x'));
  await vi.waitFor(async () => expect(await server.connections()).toBeGreaterThan(0));
  socket.destroy();
  await vi.waitFor(async () => expect(await server.connections()).toBe(0));
  expect(warnings).toEqual([]);
});

describe('an upgrade', () => {
  const upgrade = (to: string) =>
    `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${to}\r\nHTTP2-Settings: AAMAAABk\r\n`;

  test.concurrent.each(['h2c', 'TLS/1.0', 'websockets', 'h2c, websocket'])(
    'to %s is not accepted, and the request is served',
    async (to) => {
      const socket = await server.open();
      socket.write(ask('/small', upgrade(to)));
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"small":true\}$/s);
      const posting = await server.open();
      posting.write(post(`Content-Length: 3\r\n${upgrade(to).trimEnd()}`, '"x"'));
      expect(await text(posting)).toMatch(/^HTTP\/1\.1 200 .*\{"body":"x"\}$/s);
    },
  );

  test('to websocket is not accepted with a body, and the request is served', async () => {
    const socket = await server.open();
    socket.write(post(`Content-Length: 3\r\nConnection: Upgrade\r\nUpgrade: websocket`, '"x"'));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"body":"x"\}$/s);
  });

  test.each(['websocket', 'WebSocket'])('to %s is accepted', async (to) => {
    const socket = await server.open();
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
