import { expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { startProgram } from '../support/process.ts';

test('a seeded run of the fuzzer finds nothing', { timeout: 90_000 }, async ({ onTestFinished }) => {
  const database = await createDatabase();
  const parameters = ['--requests', '250', '--frames', '50', '--seed', '1', '--lanes', '3'];
  const program = startProgram('scripts/fuzz/main.ts', parameters, { DATABASE_URL: database.url });
  onTestFinished(() => database.drop());
  expect(await program.ended, program.stderr()).toBe(0);
  expect(program.lines().join('\n')).toMatch(/^[23]\d\d requests, .*\b50 frames sent, .*nothing was found$/s);
  expect(program.stderr()).toBe('');
});
