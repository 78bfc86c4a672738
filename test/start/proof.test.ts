import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { openHead } from '../../services/audit/tree/heads.ts';
import { readVerifierKey } from '../../services/audit/tree/note.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { runScript } from '../support/script.ts';
import { startStandalone } from '../support/standalone.ts';

const Ready = z.object({
  parts: z.object({
    proof: z.object({
      ready: z.boolean(),
      signed_events: z.number().optional(),
      reason: z.string().optional(),
    }),
  }),
});

/** What /ready says of the proof; undefined as long as it says nothing. */
async function proofOf(url: string) {
  const answer = await fetch(`${url}/ready`);
  const { data } = Ready.safeParse(await answer.json());
  return data && { ...data.parts.proof, status: answer.status };
}

async function run(folder: string, parameters: readonly string[]): Promise<string> {
  const env = { PATH: process.env.PATH, DATA_DIR: folder };
  return (await promisify(execFile)(process.execPath, ['scripts/verify.ts', ...parameters], { env })).stdout;
}

test('a program signs its log with a key of its own, serves the head, and is verified while it runs', {
  timeout: 120_000,
}, async () => {
  const folder = await preparedFolder();
  const { call, key, secret, url } = await startStandalone(folder);
  await call('/api/user/add', 'server', { username: 'tom', nickname: 'Tom', password: 'secret-1' });
  await vi.waitUntil(async () => ((await proofOf(url))?.signed_events ?? 0) > 0, {
    ...{ timeout: 60_000, interval: 100 },
  });
  expect((await stat(join(folder, 'audit-key'))).mode & 0o777).toBe(0o600);
  const headers = { 'x-app-key': key, 'x-app-secret': secret };
  const note = await (await fetch(`${url}/audit/log/checkpoint`, { headers })).text();
  const head = openHead(note, readVerifierKey(await run(folder, ['--key'])));
  expect(head).toMatchObject({ origin: 'bubble-im/bubble-im' });
  expect(head.size).toBeGreaterThan(0);
  expect(await run(folder, [])).toContain('The log is as it was');
  expect(await run(folder, ['--read-models'])).toContain('no row differs');
});

test('an export waits for the head that a running program signs of its last events', {
  timeout: 120_000,
}, async () => {
  const folder = await preparedFolder();
  const { call } = await startStandalone(folder);
  await call('/api/user/add', 'server', { username: 'tom', nickname: 'Tom', password: 'secret-1' });
  const exported = await temporaryFolder();
  const ended = await runScript('export', ['--to', exported], { DATA_DIR: folder });
  expect(ended).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('A head that bubble-im/bubble-im signed covers all of them.'),
  });
  const held = await runScript('import', ['--from', exported], { DATA_DIR: await temporaryFolder() });
  expect(held).toMatchObject({ code: 0, stdout: ended.stdout });
});

test('a program whose log loses its last event says so in its log and at /ready, and goes on serving', {
  timeout: 120_000,
}, async () => {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  const { call, program, url } = await startStandalone(await preparedFolder(), {
    DATABASE_URL: database.url,
  });
  await call('/api/user/add', 'server', { username: 'tom', nickname: 'Tom', password: 'secret-1' });
  await vi.waitUntil(async () => ((await proofOf(url))?.signed_events ?? 0) > 0, {
    ...{ timeout: 60_000, interval: 100 },
  });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query('delete from log.events where position = (select max(position) from log.events)');
  await client.end();
  await expect
    .poll(() => proofOf(url), { timeout: 30_000, interval: 100 })
    .toMatchObject({
      ready: false,
      reason: expect.stringContaining('the log does not hold the event'),
      status: 200,
    });
  expect(program.stderr()).toContain('the audit found the log changed');
  program.signal('SIGTERM');
  await program.ended;
});
