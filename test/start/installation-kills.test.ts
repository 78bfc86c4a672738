import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { isRunning, launch, postgresPid, query, start } from '../support/installation.ts';

const keep = "insert into read.settings values ('app_name', 'kept')";
const kept = 'select value from read.settings';

describe('an installation of one process', () => {
  test('killed with -9 it leaves its Postgres running, which the next start ends', async () => {
    const folder = await temporaryFolder();
    for (let round = 0; round < 3; round++) {
      const { program, databaseUrl } = await start(folder);
      await query(databaseUrl, keep.replace('app_name', `round ${round}`));
      const server = await postgresPid(folder);
      program.signal('SIGKILL');
      await program.ended;
      expect(server !== undefined && isRunning(server)).toBe(true);

      const next = await start(folder);
      expect(server !== undefined && isRunning(server)).toBe(false);
      expect((await query(next.databaseUrl, kept)).rowCount).toBe(round + 1);
      next.program.signal('SIGTERM');
      expect(await next.program.ended).toBe(0);
    }
  });

  test('killed with -9 with its socket in a temporary folder, that is removed by the next start', async () => {
    const folder = join(await temporaryFolder(), 'x'.repeat(100));
    const { program, databaseUrl } = await start(folder);
    const elsewhere = new URL(databaseUrl).searchParams.get('host') ?? '';
    expect(elsewhere.startsWith(folder)).toBe(false);
    program.signal('SIGKILL');
    await program.ended;
    await access(elsewhere);
    const next = await start(folder);
    await expect(access(elsewhere)).rejects.toThrow('ENOENT');
    next.program.signal('SIGTERM');
    expect(await next.program.ended).toBe(0);
  });

  test('killed with -9 at any moment of its first start, it starts the next time', async () => {
    const folder = await temporaryFolder();
    for (const milliseconds of [150, 300, 450, 600, 750, 900, 1050, 1200]) {
      const program = launch(folder);
      const killer = setTimeout(() => program.signal('SIGKILL'), milliseconds);
      await program.ended;
      clearTimeout(killer);
    }
    const { program, databaseUrl } = await start(folder);
    expect((await query(databaseUrl, kept)).rowCount).toBe(0);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    expect((await readdir(join(folder, 'postgres'))).toSorted()).toEqual(['data', 'password']);
  });

  test('ended at once by a second signal, it ends its Postgres too', async () => {
    const folder = await temporaryFolder();
    const { program, address } = await start(folder);
    const answer = fetch(`http://127.0.0.1:${address.port}/slow`).catch(() => 'cut off');
    await program.line(/^a slow request$/);
    const server = await postgresPid(folder);
    program.signal('SIGTERM');
    while (!program.stderr().includes('ending')) await new Promise(setImmediate);
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    expect(await answer).toBe('cut off');
    await expect.poll(() => server !== undefined && isRunning(server)).toBe(false);
  });
});
