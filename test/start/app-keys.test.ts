import { execFileSync } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadAppKeys } from '../../services/app-keys/app-keys.ts';
import { temporaryFolder } from '../support/folder.ts';

describe("the server's key", () => {
  test('is created once, at random, and found again; only the owner can read it', async () => {
    const [folder, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
    const made = await loadAppKeys(folder, undefined);
    expect(made.file).toBe(join(folder, 'app-secret'));
    expect(made.key).toMatch(/^[0-9a-f]{20}$/);
    expect(made.secret).toMatch(/^[0-9a-f]{64}$/);
    expect((await stat(join(folder, 'app-secret'))).mode & 0o777).toBe(0o600);
    expect(await loadAppKeys(folder, undefined)).toEqual(made);
    expect((await loadAppKeys(elsewhere, undefined)).secret).not.toBe(made.secret);
  });

  test('can be sourced by a shell', async () => {
    const { key, secret, file } = await loadAppKeys(await temporaryFolder(), undefined);
    const printed = execFileSync('sh', ['-c', '. "$0"; echo "$APP_KEY $APP_SECRET"', String(file)], {
      encoding: 'utf8',
    });
    expect(printed).toBe(`${key} ${secret}\n`);
  });

  test('given in the environment is used instead of the stored one, which stays', async () => {
    const folder = await temporaryFolder();
    const kept = await loadAppKeys(folder, undefined);
    const given = { key: 'mine', secret: 's' };
    expect(await loadAppKeys(folder, given)).toEqual({ ...given, file: undefined });
    expect(await loadAppKeys(folder, undefined)).toEqual(kept);
  });

  test('given in the environment is not stored', async () => {
    const folder = await temporaryFolder();
    expect(await loadAppKeys(folder, { key: 'k', secret: 's' })).toEqual({
      key: 'k',
      secret: 's',
      file: undefined,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test('created by several processes at once is the same for all', async () => {
    const folder = await temporaryFolder();
    const all = await Promise.all(Array.from({ length: 20 }, () => loadAppKeys(folder, undefined)));
    expect(new Set(all.map(({ key, secret }) => key + secret)).size).toBe(1);
    expect(await readdir(folder)).toEqual(['app-secret']);
  });

  test('is not created again over a file that cannot be read', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'app-secret'), 'APP_KEY=abc\nAPP_SECRET=fifteen-letters\n');
    await expect(loadAppKeys(folder, undefined)).rejects.toThrow('does not hold the lines');
    await writeFile(join(folder, 'app-secret'), 'APP_KEY=abc\n');
    await expect(loadAppKeys(folder, undefined)).rejects.toThrow('does not hold the lines');
    expect(await readFile(join(folder, 'app-secret'), 'utf8')).toBe('APP_KEY=abc\n');
  });
});
