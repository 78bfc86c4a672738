import { afterAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { trustOf } from '../../services/proxies.ts';
import { app, Installation } from './harness.ts';

const installation = await Installation.open();
afterAll(() => installation.close());

/** The first frame's event, or its code where it is an error, of a socket that a proxy opens for an address. */
async function openedFor(port: number, address: string): Promise<unknown> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/app/${app.key}?protocol=7`, {
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
  const { port } = await installation.start({ socketsOfAddress: 1 }, undefined, trustOf(1));
  expect(await openedFor(port, '198.51.100.1')).toBe('pusher:connection_established');
  expect(await openedFor(port, '198.51.100.2')).toBe('pusher:connection_established');
  expect(await openedFor(port, '198.51.100.3, 198.51.100.2')).toBe(4004);
});

test('sockets are counted by the proxy’s own address if it is not trusted', async () => {
  const { port } = await installation.start({ socketsOfAddress: 1 });
  expect(await openedFor(port, '198.51.100.1')).toBe('pusher:connection_established');
  expect(await openedFor(port, '198.51.100.2')).toBe(4004);
});
