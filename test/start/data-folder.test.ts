import { mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lockDataFolder } from '../../services/data-folder.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type RunningProgram, startProgram } from '../support/process.ts';

function hold(folder: string, waitMs: number): RunningProgram {
  return startProgram('test/start/folder-program.ts', [folder, String(waitMs)], {});
}

describe('the data folder', () => {
  test('is created for its owner alone', async () => {
    const path = join(await temporaryFolder(), 'a', 'b');
    const folder = await lockDataFolder(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'lock'))).mode & 0o777).toBe(0o600);
    await folder.release();
  });

  test.skipIf(process.platform !== 'linux')(
    'that can never be is refused, and not tried for ever',
    async () => {
      await expect(lockDataFolder('/proc/nothing/here')).rejects.toThrow('cannot create the data folder');
    },
  );

  test.skipIf(process.platform !== 'linux')('on a full disk is refused, and the file is named', async () => {
    const path = await temporaryFolder();
    await symlink('/dev/full', join(path, 'pid'));
    await expect(lockDataFolder(path)).rejects.toThrow(`cannot write ${join(path, 'pid')}`);
    await rm(join(path, 'pid'));
    await (await lockDataFolder(path, 0)).release();
  });

  test('is locked by one process, which the error of another one names', async () => {
    const path = await temporaryFolder();
    const first = hold(path, 0);
    await first.line(/^held$/);
    const second = hold(path, 100);
    expect(await second.line(/./)).toBe(
      `the data folder ${path} is in use by the process ${first.pid}: stop it, or set another DATA_DIR`,
    );
  });

  test('can be locked once within a process, too', async () => {
    const path = await temporaryFolder();
    const first = await lockDataFolder(path, 0);
    await expect(lockDataFolder(path, 100)).rejects.toThrow(`in use by the process ${process.pid}`);
    // Having tried has not taken the lock off it for others.
    expect(await hold(path, 0).line(/./)).toContain('in use');
    await first.release();
    await (await lockDataFolder(path, 0)).release();
  });

  test('is locked by a waiting process as soon as its holder is killed', async () => {
    const path = await temporaryFolder();
    const first = hold(path, 0);
    await first.line(/^held$/);
    const second = hold(path, 20_000);
    first.signal('SIGKILL');
    await first.ended;
    await second.line(/^held$/);
  });

  test('is locked by exactly one of many processes that start at once', async () => {
    const path = await temporaryFolder();
    for (let round = 0; round < 3; round++) {
      const all = Array.from({ length: 4 }, () => hold(path, 300));
      const printed = await Promise.all(all.map((program) => program.line(/./)));
      expect(printed.filter((line) => line === 'held')).toHaveLength(1);
      for (const program of all) program.signal('SIGKILL');
      await Promise.all(all.map(({ ended }) => ended));
    }
  });

  test.each(['with spaces', '数据 🫧', 'quote\'"%20?#&', 'x'.repeat(200)])(
    'may be called %s',
    async (name) => {
      const path = join(await temporaryFolder(), name);
      const folder = await lockDataFolder(path, 0);
      expect(await hold(path, 0).line(/./)).toContain('in use');
      expect((await readdir(path)).toSorted()).toEqual(['lock', 'pid']);
      await folder.release();
    },
  );

  test('that cannot be a folder is named in the error', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    await expect(lockDataFolder(file, 0)).rejects.toThrow(`cannot create the data folder ${file}`);
    const path = await temporaryFolder();
    await mkdir(join(path, 'lock'));
    await expect(lockDataFolder(path, 0)).rejects.toThrow(`cannot lock ${join(path, 'lock')}`);
  });
});
