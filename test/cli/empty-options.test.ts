import { describe, expect, test } from 'vitest';
import { runScript } from '../support/script.ts';

/** No installation is there, so that nothing is written if an option is taken. */
const nowhere = { DATA_DIR: '/nonexistent' };

describe('an option that is given an empty text, as of a variable that is not set', {
  timeout: 60_000,
}, () => {
  test.each([
    ['export', '--to', []],
    ['import', '--from', []],
    ['backup', '--to', []],
    ['restore', '--from', []],
    ['verify', '--export', []],
    ['verify', '--checkpoint', []],
    ['verify', '--verifier', []],
    ['verify', '--out', ['--event', '0190a0c0-0000-7000-8000-000000000001']],
    ['as-of', '--forget', []],
    ['seed', '--seed', ['--events', '1']],
    ['skip', '--why', ['1']],
    ['demo', '--url', []],
  ])('npm run %s -- %s "" is refused by name', async (command, option, others) => {
    const { code, stdout, stderr } = await runScript(command, [option, '', ...others], nowhere);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^${command}: option '${option} .* is empty`));
  });

  test('is taken where that is the default', async () => {
    const { stderr } = await runScript('export', ['--to', 'package.json', '--stream-prefix', ''], nowhere);
    expect(stderr).toBe('export: --to package.json is no folder\n');
  });
});
