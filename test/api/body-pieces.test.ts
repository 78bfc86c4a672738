import { once } from 'node:events';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PiecedRequest } from '../../services/api/bodies/body-pieces.ts';
import { ask, post, type RawServer, startRawServer } from '../support/raw-server.ts';

let server: RawServer;
beforeAll(async () => {
  server = await startRawServer();
});
afterAll(() => server.close());

describe('a body in pieces', () => {
  /** A body of JSON with blanks before it, as that many chunks of a byte or more, and the next request. */
  const chunks = (count: number, bytes = 1) => {
    const piece = `${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`;
    return `${piece.repeat(count)}1\r\n1\r\n0\r\n\r\n${ask('/small', 'Connection: close\r\n')}`;
  };
  const send = async (body: string) => {
    const socket = await server.open();
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
    const before = server.asked;
    expect(await send(chunks(10_000).replace('/small', '/never'))).toMatch(/^HTTP\/1\.1 400 /);
    expect(push.mock.calls.length).toBeLessThan(300);
    expect(server.asked).toBe(before);
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
    const socket = await server.open();
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
    const socket = await server.open();
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
    const socket = await server.open();
    const given = text(socket).catch(() => 'cut off');
    socket.write('POST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await vi.waitFor(() => expect(socket.bytesRead).toBeGreaterThan(0));
    const piece = `fff0\r\n${' '.repeat(0xfff0)}\r\n`;
    socket.write(`${piece.repeat(count)}0\r\n\r\n${ask('/small', 'Connection: close\r\n')}`);
    expect((await given).includes('{"small":true}')).toBe(goesOn);
  });

  test('is dropped up to its length if it was refused before, and the next body is read', async () => {
    const socket = await server.open();
    socket.write(`POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n`);
    await once(socket, 'data');
    const push = vi.spyOn(PiecedRequest.prototype, 'push');
    socket.write('x'.repeat(300_000) + post('Connection: close\r\nContent-Length: 1', '2'));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"body":2\}$/s);
    expect(push.mock.calls.map(([piece]) => String(piece))).toEqual(['null', '2', 'null']);
    push.mockRestore();
  });
});

test('every body is read whole, and by its own request, beside connections that are cut off or hang up', async () => {
  const tiny = post('Transfer-Encoding: chunked', `${'1\r\n \r\n'.repeat(260)}0\r\n\r\n`);
  const refused = `POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n`;
  const hostile = [tiny, refused, `${refused}${'x'.repeat(90_000)}${refused}${'x'.repeat(80_000)}`];
  const attacks = Array.from({ length: 150 }, async (_, index) => {
    const socket = await server.open();
    socket.write(hostile[index % hostile.length] ?? '');
    socket.once('data', () => socket.destroy());
    await text(socket).catch(() => '');
  });
  const bodies = Array.from({ length: 150 }, (_, index) => `"${`${index}`.repeat(5_000)}"`);
  const answers = bodies.map(async (body) => {
    const socket = await server.open();
    socket.write(`${refused}${'x'.repeat(90_000)}`);
    await once(socket, 'data');
    const end = post(`Connection: close\r\nContent-Length: ${body.length}`, body);
    for (const piece of [end.slice(0, 3_000), end.slice(3_000)]) socket.write(piece);
    return (await text(socket)).endsWith(`{"body":${body}}`);
  });
  expect(await Promise.all(answers)).toEqual(bodies.map(() => true));
  await Promise.all(attacks);
});
