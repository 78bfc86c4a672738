import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from '../../services/make-folder.ts';
import { temporaryFolder } from '../support/folder.ts';

test('a folder is made with those above it, also by several at once, and may exist', async () => {
  const above = join(await temporaryFolder(), 'a', 'b');
  const paths = ['c', 'd', 'e'].map((name) => join(above, name, 'f'));
  await Promise.all([...paths, ...paths].map((path) => makeFolder(path)));
  await makeFolder(above);
  for (const path of [above, ...paths]) expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test.skipIf(process.platform !== 'linux').each([
  ['/proc/nothing/here', 'ENOENT'],
  ['/dev/null/folder', 'ENOTDIR'],
  ['/dev/null', 'EEXIST'],
])('%s can never be a folder, which is not tried for ever', async (path, code) => {
  await expect(makeFolder(path)).rejects.toMatchObject({ code });
});
