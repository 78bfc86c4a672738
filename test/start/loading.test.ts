import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Prints which of Node's own modules were loaded with all that a start of the whole program imports. */
const script = `await import('./services/whole.ts'); console.log(process.moduleLoadList.join('\\n'));`;

it('a start does not load fetch, which takes some 5 % of its processor time', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: `${import.meta.dirname}/../..`,
  });
  const loaded = stdout.split('\n');
  expect(loaded).toContain('NativeModule _http_server');
  expect(loaded.filter((name) => name.includes('undici/undici'))).toEqual([]);
});
