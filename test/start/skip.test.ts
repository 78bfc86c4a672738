import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { streamName } from '../../services/domain/aggregate.ts';
import { encode } from '../../services/log/codec.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { runningEmbeddedUrl } from '../../services/postgres/embedded/embedded.ts';
import { registered } from '../support/events.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { newEventId } from '../support/projecting.ts';
import { startStandalone } from '../support/standalone.ts';

const run = promisify(execFile);

it('a running program that stopped at an event it cannot read goes on once npm run skip has skipped it', async () => {
  const folder = await preparedFolder();
  const program = await startStandalone(folder);
  const script = (name: string, ...parameters: string[]) =>
    run(process.execPath, [`scripts/${name}.ts`, ...parameters], {
      env: { PATH: process.env.PATH, DATA_DIR: folder },
    });
  const ready = async () => (await fetch(`${program.url}/ready`)).status;
  await expect.poll(ready).toBe(200);

  const connectionString = await runningEmbeddedUrl(join(folder, 'postgres'));
  if (connectionString === undefined) throw new Error('no database runs');
  const log = await openPostgresLog({ connectionString });
  const metadata = { time: 0, actor: 'server', $correlationId: 'test', $causationId: 'test' };
  const registration = encode(newEventId(), registered(4, '甲'), metadata);
  const before = await log.append(streamName('user-4'), 'none', [registration]);
  const healthy = before.outcome === 'appended' ? before.position : '';
  const result = await log.append(streamName('user-5'), 'any', [
    { id: newEventId(), type: 'UserTeleported', data: {}, metadata: {} },
  ]);
  await log.close();
  const position = result.outcome === 'appended' ? result.position : '';
  await expect.poll(ready).toBe(503);
  expect((await program.call('/api/pop/getsetting', 'nobody')).code).toBe(503);

  await expect(script('skip', position)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--why'),
  });
  await expect(script('skip', '9999999999999999', '--why', 'x')).rejects.toMatchObject({
    code: 1,
    stderr: 'skip: there is no event at 9999999999999999\n',
  });
  await expect(script('skip', healthy, '--why', 'mistyped')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^skip: UserRegistered at user-4@0 stops nothing: .*--force/),
  });
  const { stdout } = await script('skip', position, '--why', 'written by mistake');
  expect(stdout).toMatch(/^skipped: UserTeleported at user-5@0 of /);
  expect(stdout).toContain('"written by mistake"');
  await expect.poll(ready).toBe(200);
  expect((await program.call('/api/pop/getsetting', 'nobody')).code).toBe(0);

  expect((await script('replay', '--stream', 'user-5')).stdout).toMatch(
    /UserTeleported +\{\} {2}\[\d+\] \[skipped: "written by mistake"\]\n/,
  );
  const lines = (await script('replay', '--format', 'ndjson')).stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { type: 'UserRegistered', position: healthy },
    { type: 'UserTeleported', position, skipped: 'written by mistake' },
    { type: 'EventSkipped', stream: 'skip', metadata: { operator: expect.stringContaining('@') } },
    { type: 'AuditUsed', stream: 'access' },
  ]);
  expect((await script('skip', position, '--why', 'again')).stdout).toMatch(
    /^was skipped before: .*\nwhy: "written by mistake"\n/,
  );
  expect((await script('skip', healthy, '--force', '--why', 'meant')).stdout).toMatch(
    /^skipped: UserRegistered at user-4@0 of /,
  );
}, 120_000);
