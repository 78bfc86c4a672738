import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { openHead } from '../../services/audit/tree/heads.ts';
import { readVerifierKey } from '../../services/audit/tree/note.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startStandalone } from '../support/standalone.ts';

const Ready = z.object({
  parts: z.object({ proof: z.object({ ready: z.boolean(), signed_events: z.number() }) }),
});

async function run(folder: string, parameters: readonly string[]): Promise<string> {
  const env = { PATH: process.env.PATH, DATA_DIR: folder };
  return (await promisify(execFile)(process.execPath, ['scripts/verify.ts', ...parameters], { env })).stdout;
}

test('a program signs its log with a key of its own, serves the head, and is verified while it runs', {
  timeout: 120_000,
}, async () => {
  const folder = await temporaryFolder();
  const { call, key, secret, url } = await startStandalone(folder);
  await call('/api/user/add', 'server', { username: 'tom', nickname: 'Tom', password: 'secret-1' });
  await vi.waitUntil(
    async () => {
      const ready = Ready.safeParse(await (await fetch(`${url}/ready`)).json());
      return ready.success && ready.data.parts.proof.signed_events > 0;
    },
    { timeout: 60_000, interval: 100 },
  );
  expect((await stat(join(folder, 'audit-key'))).mode & 0o777).toBe(0o600);
  const headers = { 'x-app-key': key, 'x-app-secret': secret };
  const note = await (await fetch(`${url}/audit/log/checkpoint`, { headers })).text();
  const head = openHead(note, readVerifierKey(await run(folder, ['--key'])));
  expect(head).toMatchObject({ origin: 'bubble-im/bubble-im' });
  expect(head.size).toBeGreaterThan(0);
  expect(await run(folder, [])).toContain('The log is as it was');
  expect(await run(folder, ['--read-models'])).toContain('no row differs');
});
