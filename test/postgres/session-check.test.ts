import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { mustKeepSessions } from '../../services/postgres/session-check.ts';
import { createEmptyDatabase } from '../support/database.ts';

/** The letter of a NotificationResponse (Postgres' documentation, Message Formats). */
const notification = 'A'.charCodeAt(0);

/** Everything but notifications: what a proxy that pools by transaction lets through. */
function withoutNotifications(received: Buffer): { passed: Buffer; rest: Buffer } {
  const passed: Buffer[] = [];
  let at = 0;
  while (received.length - at >= 5) {
    const end = at + 1 + received.readInt32BE(at + 1);
    if (received.length < end) break;
    if (received[at] !== notification) passed.push(received.subarray(at, end));
    at = end;
  }
  return { passed: Buffer.concat(passed), rest: received.subarray(at) };
}

/** A proxy before the database that loses notifications; answers how to connect through it. */
async function losingProxy(url: string): Promise<string> {
  const target = new URL(url);
  const folder = target.searchParams.get('host');
  const port = Number(target.port || 5432);
  const proxy = createServer((client) => {
    const server = folder ? connect(`${folder}/.s.PGSQL.${port}`) : connect(port, target.hostname);
    let rest: Buffer = Buffer.alloc(0);
    client.pipe(server);
    server.on('data', (data) => {
      const read = withoutNotifications(Buffer.concat([rest, Buffer.from(data)]));
      rest = read.rest;
      client.write(read.passed);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void proxy.close());
  await once(proxy, 'listening');
  const through = new URL(url);
  through.searchParams.delete('host');
  through.hostname = '127.0.0.1';
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const { port: ours }: AddressInfo = address;
  through.port = String(ours);
  return through.href;
}

test('a database that keeps sessions is accepted; one behind a proxy that loses notifications is not', async () => {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  await expect(mustKeepSessions(database.url)).resolves.toBeUndefined();
  await expect(mustKeepSessions(await losingProxy(database.url))).rejects.toThrow('keeps no sessions');
});
