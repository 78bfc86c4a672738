import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

const Address = z.object({ port: z.int() });

/** Starts a server of this folder in a process of its own, which sends its address once it listens. */
export async function forkServer(
  file: string,
  args: readonly string[] = [],
  execArgv: readonly string[] = process.execArgv,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(join(import.meta.dirname, file), [...args], { execArgv: [...execArgv] });
  const [address]: unknown[] = await once(child, 'message');
  return { child, port: Address.parse(address).port };
}
