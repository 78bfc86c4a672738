import { execFile } from 'node:child_process';
import { access, chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { launch, postgresPid, query, start } from '../support/installation.ts';
import type { RunningProgram } from '../support/process.ts';

const kept = 'select value from read.settings';

describe.runIf(process.getuid?.() === 0)('an installation that root starts', () => {
  /** The user that a folder's server runs as, and whether it may bypass permissions. */
  async function statusOf(folder: string) {
    const status = await readFile(`/proc/${await postgresPid(folder)}/status`, 'utf8');
    const capabilities = BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(status)?.[1]}`);
    return { uid: Number(/^Uid:\s*(\d+)/m.exec(status)?.[1]), bypassesPermissions: capabilities !== 0n };
  }
  const end = async ({ program }: { program: RunningProgram }) => {
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
  };

  /** A folder that other users may pass through, like /srv. */
  async function openFolder(): Promise<string> {
    const folder = await temporaryFolder();
    await chmod(folder, 0o755);
    return join(folder, 'data');
  }

  test('runs Postgres in its own folder, without any rights of root', async () => {
    const folder = await openFolder();
    await mkdir(join(folder, 'files'), { recursive: true });
    await chmod(folder, 0o700);
    const started = await start(folder);
    expect(await statusOf(folder)).toEqual({ uid: 65_534, bypassesPermissions: false });
    expect(await stat(join(folder, 'postgres'))).toMatchObject({ uid: 65_534 });
    const modeOf = async (name: string) => (await stat(join(folder, name))).mode & 0o777;
    expect(await modeOf('postgres')).toBe(0o700);
    expect(await modeOf('.')).toBe(0o701);
    for (const name of ['files', 'app-secret', 'lock', 'pid']) expect((await modeOf(name)) & 0o007).toBe(0);
    expect((await query(started.databaseUrl, kept)).rowCount).toBe(0);
    await end(started);
    await end(await start(folder));
  });

  test('lets it bypass permissions below a folder that only root may enter', async () => {
    const outer = await temporaryFolder();
    await chmod(outer, 0o700);
    const folder = join(outer, 'the data of 泡泡');
    await mkdir(folder);
    const started = await start(folder);
    expect(await statusOf(folder)).toEqual({ uid: 65_534, bypassesPermissions: true });
    expect((await query(started.databaseUrl, kept)).rowCount).toBe(0);
    await end(started);
    await access(join(folder, 'postgres', 'data', 'PG_VERSION'));
  });

  test('says what to do if another user starts on a folder that root made', async () => {
    const folder = await openFolder();
    await end(await start(folder));
    await promisify(execFile)('cp', ['-r', folder, `${folder}-copy`]);
    for (const [place, mode] of [
      [folder, 0o701],
      [`${folder}-copy`, 0o777],
    ] as const) {
      await chmod(place, mode);
      const program = [process.execPath, 'test/start/installation-program.ts'];
      const started = promisify(execFile)(
        'setpriv',
        ['--reuid=65533', '--regid=65533', '--clear-groups', '--', ...program],
        { env: { PATH: process.env.PATH, DATA_DIR: place, PORT: '0' } },
      );
      await expect(started).rejects.toMatchObject({
        stderr: expect.stringContaining(`run as root: chown -R 65533 '${place}'`),
      });
    }
  });

  test('says what to do about a copy that lost its owners, and starts after that', async () => {
    const folder = await openFolder();
    await end(await start(folder));
    const copy = `${folder}-copy`;
    await promisify(execFile)('cp', ['-r', folder, copy]);
    const refused = launch(copy);
    expect(await refused.ended).toBe(1);
    const advice = /: run (chown -R 65534:65534 '.*' && chmod 700 '.*'), and copy with cp -a/;
    expect(refused.stderr()).toMatch(advice);
    await promisify(execFile)('sh', ['-c', advice.exec(refused.stderr())?.[1] ?? 'false']);
    await end(await start(copy));
  });
});
