import { describe, expect, test } from 'vitest';
import { runScript } from '../support/script.ts';

/** The commands that an operator or analyst runs in a shell. */
const commands = [
  ...[
    'as-of',
    'backup',
    'explain',
    'export',
    'import',
    'migrate',
    'rebuild',
    'replay',
    'restore',
    'seed',
    'skip',
  ],
  'verify',
];

const nowhere = { DATA_DIR: '/nonexistent' };

describe.each(commands)('npm run %s', (command) => {
  test('shows all options with examples, and names what is wrong with others', async () => {
    const [help, wrong] = await Promise.all([
      runScript(command, ['--help'], nowhere),
      runScript(command, ['--no-such-option'], nowhere),
    ]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain(`\nExamples:\n  npm run ${command}`);
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toMatch(new RegExp(`^${command}: (unknown|required) option '--`));
    expect(wrong.stderr).toContain(`npm run ${command} -- --help shows all options`);
  });
});
