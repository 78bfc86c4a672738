import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { runScript } from '../support/script.ts';

const Findings = z.array(
  z.object({
    state: z.enum(['ok', 'warning', 'fault']),
    about: z.string(),
    found: z.string(),
    remedy: z.string().optional(),
  }),
);

test('npm run doctor examines a machine on which nothing was started, makes nothing, and ends with code 0', async () => {
  const folder = await temporaryFolder();
  const environment = { DATA_DIR: join(folder, 'data'), PORT: String(await freePort()), METRICS_PORT: '0' };
  const { code, stdout, stderr } = await runScript('doctor', ['--json'], environment);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const found = Findings.parse(JSON.parse(stdout));
  expect(new Set(found.map(({ about }) => about))).toEqual(
    new Set([
      ...['variables', 'packages', 'fonts', 'port', 'data folder', 'disk', 'open files', 'database', 'bus'],
      ...['uploads', 'SMS', 'proxy'],
    ]),
  );
  expect(found.filter(({ state }) => state === 'fault')).toEqual([]);
  for (const { state, remedy } of found) expect(remedy === undefined).toBe(state === 'ok');
  expect(await readdir(folder)).toEqual([]);
});

test('npm run doctor names what is wrong with the variables in a line, with what to do, and ends with code 1', async () => {
  const { code, stdout } = await runScript('doctor', [], { PORT: 'http', DATABASE_ULR: 'postgres://db/im' });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAULT {4}variables {2}PORT must be .*, not "http": correct it/m);
  expect(stdout).toMatch(
    /^warning {2}variables {2}DATABASE_ULR is read by nothing: did you mean DATABASE_URL\?$/m,
  );
  expect(stdout).toMatch(/^ok {7}fonts /m);
  expect(stdout).toMatch(/\n1 faults, 1 warnings$/);
});

test('npm run doctor says in its help what its exit code means, and refuses an address that is none', async () => {
  const help = await runScript('doctor', ['--help'], {});
  expect(help).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('ends with code 1 if there is a fault'),
  });
  const refused = await runScript('doctor', ['--public', 'im.example.com'], {});
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('"im.example.com" is no address such as https://im.example.com');
});

test('a key that other users of the machine can read is named', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'app-secret'), `APP_KEY=abc\nAPP_SECRET=${'x'.repeat(32)}\n`, { mode: 0o644 });
  const { stdout } = await runScript('doctor', [], { DATA_DIR: folder, PORT: '0' });
  expect(stdout).toMatch(
    /^warning {2}data folder {2}.*app-secret can be read by other users.*: chmod 600 '.*'$/m,
  );
});
