import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { ListeningSocket } from './listening-socket.ts';
import type { Bench } from './main.ts';
import { megabytes, memoryOf } from './process-memory.ts';
import { keysOf } from './program.ts';
import { endBy, startUntilReady } from './start.ts';

export const bench: Bench = {
  summary: 'memory of the whole program and its Postgres when nothing happens, and with idle sockets',
  options: (command: Command) =>
    command
      .option('--sockets <n>', 'how many', Number, 1_000)
      .option('--idle <n>', 'seconds without work before each figure', Number, 18)
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8797),
  run: async ({ sockets, idle, port }) => measure(Number(sockets), Number(idle), Number(port)),
};

/** Sockets that are opened at once. */
const inARow = 100;

async function measure(count: number, idleSeconds: number, port: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
  try {
    // The second start finds compiled code and tables, as all but the first one do.
    await endBy('SIGTERM', (await startUntilReady(folder, port)).program);
    const { program } = await startUntilReady(folder, port);
    try {
      const shown = async (name: string) => {
        await delay(idleSeconds * 1_000);
        console.log(`${name.padEnd(16)} ${megabytes(await memoryOf(program.pid ?? 0))}`);
      };
      await shown('idle');
      const { key } = await keysOf(folder);
      const sockets: ListeningSocket[] = [];
      while (sockets.length < count) {
        const more = Math.min(inARow, count - sockets.length);
        const opened = Array.from({ length: more }, () => openSocket(port, key));
        sockets.push(...(await Promise.all(opened)));
      }
      await shown(`${count} sockets`);
      for (const socket of sockets) socket.close();
    } finally {
      await endBy('SIGTERM', program);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openSocket(port: number, key: string): Promise<ListeningSocket> {
  const socket = await ListeningSocket.open(port, `/app/${key}?protocol=7`);
  await socket.frameWith('connection_established');
  return socket;
}
