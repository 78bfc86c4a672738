import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ask, type RawServer, startRawServer } from '../support/raw-server.ts';

let server: RawServer;
beforeAll(async () => {
  server = await startRawServer();
});
afterAll(() => server.close());

test('up to ten requests of a connection may be under way', async () => {
  const socket = await server.open();
  socket.write(ask('/never').repeat(11));
  await vi.waitFor(() => expect(server.asked).toBe(10));
  expect((await fetch(`${server.url}/small`)).status).toBe(200);
  expect(server.asked).toBe(10);
  socket.destroy();
});

test('a connection is cut off that brings many requests at once, before any work is done for them', async () => {
  const socket = await server.open();
  socket.write(ask('/small').repeat(1_000));
  expect(await text(socket).catch(() => '')).toBe('');
});

test('a connection is cut off as soon for requests without a host', async () => {
  const socket = await server.open();
  socket.write('GET /small HTTP/1.1\r\n\r\n'.repeat(1_000));
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^{]*\{"code":2,[^}]*\}$/s);
});

test('a connection is cut off as soon for requests with an expectation, a single one of which is served', async () => {
  const expecting = (more = '') => ask('/small', `Expect: x\r\n${more}`);
  const flooding = await server.open();
  flooding.write(expecting().repeat(1_000));
  expect(await text(flooding).catch(() => '')).toBe('');
  const socket = await server.open();
  socket.write(expecting('Connection: close\r\n'));
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"small":true\}$/s);
});
