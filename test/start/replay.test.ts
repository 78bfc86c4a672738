import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { two } from '../support/client.ts';

/** Clears the screen, names the window, moves the cursor by a character of one byte, turns the direction. */
const content = '\u001b[2J\u001b]0;owned\u0007 \u009b31m \u007f \u202egpj \u2028 \r\n 猫👨‍👩‍👧‍👦';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
  const [tom, jerry] = await two(running);
  await tom.post('/message/send', { to: jerry.uid, type: 'friend', content });
});
afterAll(() => running.stop());

async function replay(format: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['scripts/replay.ts', '--type', 'MessageSent', '--format', format],
    { env: { PATH: process.env.PATH, DATABASE_URL: running.databaseUrl } },
  );
  return stdout;
}

test.each(['table', 'ndjson'])(
  'replay as %s shows messages without what a terminal obeys',
  async (format) => {
    const shown = await replay(format);
    expect(shown).not.toMatch(/[^\P{Cc}\n]|[\u2028\u202e]/u);
    expect(shown).toContain(
      '\\u001b[2J\\u001b]0;owned\\u0007 \\u009b31m \\u007f \\u202egpj \\u2028 \\r\\n 猫👨‍👩‍👧‍👦',
    );
  },
);

test('replay as ndjson can be parsed into the same events', async () => {
  const lines = (await replay('ndjson')).trim().split('\n');
  const records = lines.map((line) =>
    z.object({ data: z.object({ content: z.string() }) }).parse(JSON.parse(line)),
  );
  expect(records.map(({ data }) => data.content)).toEqual([content]);
});
