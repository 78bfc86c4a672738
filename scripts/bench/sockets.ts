import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';
import { z } from 'zod';
import { migrate } from '../../projections/migrate.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { forkServer } from './fork-server.ts';
import { ListeningSocket } from './listening-socket.ts';
import type { Bench } from './main.ts';

export const bench: Bench = {
  summary: 'memory of idle sockets on a gateway, beside bare ws',
  options: (command: Command) =>
    command
      .option('--sockets <n>', 'how many', Number, 10_000)
      .option('--channels <n>', 'how many channels each is subscribed to', Number, 0),
  run: async ({ sockets, channels }) => measure(Number(sockets), Number(channels)),
};

const Memory = z.object({ rss: z.number(), heapUsed: z.number(), external: z.number() });
type Memory = z.infer<typeof Memory>;

async function measure(count: number, channels: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
  const postgres = await startEmbeddedPostgres({ folder, logger: pino({ level: 'silent' }) });
  try {
    await migrate(postgres.url);
    const bare = await measureServer('bare-broadcast.ts', [], '/', count, 0);
    const gateway = await measureServer('idle-gateway.ts', [postgres.url], '/app/bench', count, channels);
    console.log(`${count} sockets   resident/socket   heap/socket`);
    print('gateway', gateway);
    print('bare ws', bare);
    console.log(
      `ratio ${(gateway.rss / bare.rss).toFixed(2).padStart(24)} ${(gateway.heapUsed / bare.heapUsed).toFixed(2).padStart(13)}`,
    );
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What each socket costs the server, in bytes. */
async function measureServer(
  file: string,
  args: readonly string[],
  path: string,
  count: number,
  channels: number,
): Promise<Memory> {
  const { child: server, port } = await forkServer(file, args, ['--expose-gc']);
  try {
    // What only the first sockets cost is no cost of a socket.
    const first = await openMany(port, path, Math.min(500, count), channels);
    const before = await memoryOf(server);
    const sockets = await openMany(port, path, count, channels);
    const after = await memoryOf(server);
    for (const socket of [...first, ...sockets]) socket.close();
    return {
      rss: (after.rss - before.rss) / count,
      heapUsed: (after.heapUsed - before.heapUsed) / count,
      external: (after.external - before.external) / count,
    };
  } finally {
    server.disconnect();
    await once(server, 'exit');
  }
}

async function openMany(
  port: number,
  path: string,
  count: number,
  channels: number,
): Promise<ListeningSocket[]> {
  const sockets: ListeningSocket[] = [];
  const atOnce = 100;
  for (let begin = 0; begin < count; begin += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, count - begin) }, async () => {
      const socket = await ListeningSocket.open(port, path);
      for (let channel = 0; channel < channels; channel++) {
        const subscribed = socket.frameWith('subscription_succeeded');
        socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel: `channel-${channel}` } }));
        await subscribed;
      }
      return socket;
    });
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

async function memoryOf(server: ChildProcess): Promise<Memory> {
  // Collected twice: what the first collection releases may free more.
  for (const _ of [1, 2]) {
    server.send('collect');
    await once(server, 'message');
  }
  server.send('measure');
  const [memory]: unknown[] = await once(server, 'message');
  return Memory.parse(memory);
}

function print(name: string, { rss, heapUsed }: Memory): void {
  const bytes = (value: number, width: number) => `${Math.round(value)} B`.padStart(width);
  console.log(`${name} ${bytes(rss, 22)} ${bytes(heapUsed, 13)}`);
}
