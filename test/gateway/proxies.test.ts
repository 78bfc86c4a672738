import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { trustOf } from '../../services/edge/proxies.ts';
import { app, Installation, strangeToken } from './harness.ts';

const installation = await Installation.open();
afterAll(() => installation.close());

/** Opens a socket as a proxy does for an address. Returns the event of the first frame, or the code of an error. */
async function openedFor(port: number, address: string, path = `/app/${app.key}`): Promise<unknown> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
    headers: { 'x-forwarded-for': address },
  });
  const first = await new Promise<string>((resolve, reject) => {
    socket.once('message', (data) => resolve(data.toString()));
    socket.once('error', reject);
  });
  const { event, data } = JSON.parse(first);
  return event === 'pusher:error' ? data.code : event;
}

test('sockets are counted by the address that a trusted proxy names', async () => {
  const { port } = await installation.start({ maxSocketsPerAddress: 1 }, undefined, { trust: trustOf(1) });
  expect(await openedFor(port, '198.51.100.1')).toBe('pusher:connection_established');
  expect(await openedFor(port, '198.51.100.2')).toBe('pusher:connection_established');
  expect(await openedFor(port, '198.51.100.3, 198.51.100.2')).toBe(4004);
});

test('a refused socket is logged with the address and the reason', async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
  const { port } = await installation.start({ maxSocketsPerAddress: 1 }, undefined, {
    trust: trustOf(1),
    logger,
  });
  await openedFor(port, '198.51.100.2');
  expect(await openedFor(port, '198.51.100.2')).toBe(4004);
  expect(await openedFor(port, '198.51.100.4', '/app/wrong-key')).toBe(4001);
  const dead = strangeToken();
  expect(await openedFor(port, '198.51.100.5', `/app/${app.key}?token=${dead}`)).toBe(4009);
  const asked = { method: 'POST', headers: { 'x-forwarded-for': '198.51.100.6', 'x-app-key': 'wrong-key' } };
  await fetch(`http://127.0.0.1:${port}/pusher/auth`, asked);
  await fetch(`http://127.0.0.1:${port}/apps/${app.id}/channels?auth_key=wrong-key`, {
    headers: { 'x-forwarded-for': '198.51.100.7' },
  });
  expect(lines).toMatchObject([
    { msg: 'a socket was refused', address: '198.51.100.2', code: 4004 },
    { msg: 'a socket was refused', address: '198.51.100.4', code: 4001 },
    { msg: 'a socket was refused', address: '198.51.100.5', code: 4009 },
    { msg: "a server's key was wrong", address: '198.51.100.6' },
    { msg: 'a signature of the HTTP side was wrong', address: '198.51.100.7' },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(new RegExp(`wrong-key|${dead}`));
});

test('sockets are counted by the proxy’s own address if the proxy is not trusted', async () => {
  const { port } = await installation.start({ maxSocketsPerAddress: 1 });
  expect(await openedFor(port, '198.51.100.1')).toBe('pusher:connection_established');
  expect(await openedFor(port, '198.51.100.2')).toBe(4004);
});
