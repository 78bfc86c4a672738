import { expect, test } from 'vitest';
import { z } from 'zod';
import { preparedFolder } from '../support/prepared-folder.ts';
import { startProgram } from '../support/process.ts';
import { startStandalone } from '../support/standalone.ts';

const Ready = z.object({ parts: z.record(z.string(), z.unknown()) });

async function parts(url: string): Promise<Record<string, unknown>> {
  const answer = await fetch(`${url}/ready`);
  return Ready.parse(await answer.json()).parts;
}

test('the program keeps the index of the log, and /ready shows it without waiting for it', async () => {
  const program = await startStandalone(await preparedFolder());
  await expect.poll(() => parts(program.url)).toMatchObject({ audit: { ready: true, active: true } });
});

test('with AUDIT=off it does not, and npm run auditor does in a process of its own', async () => {
  const folder = await preparedFolder();
  const program = await startStandalone(folder, { AUDIT: 'off' });
  await expect.poll(async () => (await fetch(`${program.url}/ready`)).status).toBe(200);
  expect(await parts(program.url)).not.toHaveProperty('audit');
  const auditor = startProgram('services/auditor.ts', [], {
    DATA_DIR: folder,
    PORT: '0',
    LOG_LEVEL: 'error',
  });
  const line = await auditor.line(/auditor runs/);
  const url = /http:\/\/[^/]+/.exec(line)?.[0] ?? '';
  await expect
    .poll(() => parts(url), { timeout: 15_000 })
    .toMatchObject({ audit: { ready: true, active: true } });
  auditor.signal('SIGTERM');
  expect(await auditor.ended).toBe(0);
});
