import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { runScript } from '../support/script.ts';

/** Where no installation is: what is written into a folder is refused before one is looked for. */
const nowhere = { DATABASE_URL: '', DATA_DIR: '/nonexistent' };

describe.each([
  ['export', '--to', 'an export', 'events-000000000000.ndjson'],
  ['backup', '--to', 'a backup', 'tables-0123456789ab'],
  ['verify', '--export', 'the tree of a log', 'tile'],
])('the folder that npm run %s -- %s names', (command, option, what, own) => {
  test('is refused if it holds something else, and stays as it is', async () => {
    const folder = await temporaryFolder();
    const names = ['.git', 'README.md', 'lock'];
    for (const name of names) await writeFile(join(folder, name), '');
    expect(await runScript(command, [option, folder], nowhere)).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `${command}: ${option} ${folder} holds something else than ${what}, as .git: give an empty folder, or one that holds ${what}\n`,
    });
    expect((await readdir(folder)).sort()).toEqual(names);
  });

  test.each([
    ['is empty', []],
    [
      'is the root of a new file system, or was locked by a command that was killed',
      ['lost+found', 'lock', 'pid'],
    ],
    [`holds ${what}, also with other files`, [own, 'notes.txt']],
  ])('is taken if it %s', async (_which, names) => {
    const folder = await temporaryFolder();
    for (const name of names) await mkdir(join(folder, name));
    const { stderr } = await runScript(command, [option, folder], nowhere);
    expect(stderr).not.toContain('holds something else');
    expect(stderr).toContain('/nonexistent');
  });
});
