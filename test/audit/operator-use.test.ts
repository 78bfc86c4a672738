import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { newIdentityName } from '../../services/log/identity.ts';
import type { Position, StreamName } from '../../services/log/log.ts';
import { type AuditedLog, auditedLogs } from '../support/auditing.ts';
import { between, registered, sent } from '../support/events.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startProgram } from '../support/process.ts';
import { runScript } from '../support/script.ts';

const access = 'access' as StreamName;

describe.each(auditedLogs)('a command that asks a log in %s about its past', (_, open) => {
  let world: AuditedLog;
  let dataFolder: string;
  beforeAll(async () => {
    world = await open();
    dataFolder = await temporaryFolder(afterAll);
    await world.append(registered(1, '甲'));
    await world.append(registered(2, '乙'));
    await world.append(sent(between(1, 2), 1, 10, '你好'), { actor: '1' });
  });
  afterAll(() => world.close());

  const environment = () => ({ DATA_DIR: dataFolder, LOG_LEVEL: 'error', ...world.environment });
  const run = (name: string, ...parameters: string[]) => runScript(name, parameters, environment());
  const uses = async () => {
    const records = [];
    for await (const { data, metadata } of world.log.readStream(access)) records.push({ data, metadata });
    return records;
  };
  const name = async () => {
    await world.log.found({ installation: newIdentityName(), epoch: newIdentityName() });
  };

  test('changes nothing as long as no program has run on the log', async () => {
    expect(await run('replay', '--about', '1')).toMatchObject({ code: 0 });
    expect(await uses()).toEqual([]);
  });

  describe('on which a program has run', () => {
    let before: number;
    beforeEach(async () => {
      await name();
      before = (await uses()).length;
    });

    test('is recorded with the user, the host, the command and its arguments', async () => {
      const folder = await temporaryFolder();
      const commands = [
        ['replay', '--about', '1', '--format', 'csv'],
        ['explain', 'friends', '1', '2'],
        ['as-of', '--at', '0s', 'user', '1'],
        ['verify'],
        ['export', '--to', join(folder, 'export')],
      ] as const;
      for (const [command, ...words] of commands) {
        expect(await run(command, ...words)).toMatchObject({
          code: 0,
          stderr: expect.not.stringContaining('record'),
        });
      }
      const recorded = (await uses()).slice(before);
      expect(recorded.map(({ data }) => data)).toEqual(
        commands.map(([command, ...words]) => ({ command, arguments: words })),
      );
      const operator = `${userInfo().username}@${hostname()}`;
      for (const { metadata } of recorded) expect(metadata).toMatchObject({ actor: 'server', operator });
    });

    test('is recorded by replay, which does not show that record, and by the next one, which does', async () => {
      const mine = await run('replay', '--category', 'access', '--correlation', 'mine');
      expect(mine).toMatchObject({ code: 1, stdout: '' });
      const next = await run('replay', '--type', 'AuditUsed', '--reverse', '--limit', '1');
      expect(next.code).toBe(0);
      expect(next.stdout.split('\n')[1]).toMatch(
        / {2}\S+@\S+ +access@\d+ +AuditUsed +audited: "replay --category access --correlation mine" {2}\[/,
      );
    });

    test('is not copied by export: a copy has the root that the log had before', async () => {
      const folder = await temporaryFolder();
      const copied = await run('export', '--to', folder);
      const count = Number(/^\d+/.exec(copied.stdout)?.[0]);
      const records = [];
      for await (const record of world.log.readAll()) records.push(record);
      expect(records.at(-1)?.data).toMatchObject({ command: 'export' });
      expect(records.filter(({ stream }) => stream !== 'installation')).toHaveLength(count + 1);
    });

    test('does not make replay --follow show its own record, but shows those of others', async () => {
      const following = startProgram(
        'scripts/replay.ts',
        ['--follow', '--type', 'AuditUsed', '--format', 'ndjson', '--from', await world.log.end()],
        environment(),
      );
      await expect.poll(async () => (await uses()).length, { timeout: 20_000 }).toBe(before + 1);
      await run('explain', 'account', '2');
      await following.line(/"explain"/);
      following.signal('SIGINT');
      expect(await following.ended).toBe(0);
      expect(following.lines()).toHaveLength(1);
    });
  });
});

describe('a command whose log takes no record', () => {
  test('says so and goes on', async () => {
    const world = await auditedLogs[0][1]();
    onTestFinished(() => world.close());
    await world.append(registered(1, '甲'));
    await world.log.found({ installation: newIdentityName(), epoch: newIdentityName() });
    const role = `reader_${newIdentityName()}`;
    await world.query(`create role ${role} login password 'reader'`);
    onTestFinished(async () => {
      await world.query(`drop owned by ${role}; drop role ${role}`);
    });
    await world.query(`grant usage on schema log, audit, followers to ${role}`);
    await world.query(`grant select on all tables in schema log, audit, followers to ${role}`);
    const url = new URL(world.url);
    url.username = role;
    url.password = 'reader';
    const { code, stdout, stderr } = await runScript('replay', ['--format', 'ndjson'], {
      DATABASE_URL: url.href,
      LOG_LEVEL: 'error',
    });
    expect(stderr).toMatch(/^replay: the log does not take a record of this use: .*permission denied/m);
    expect(stdout.split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'UserRegistered' });
    expect(code).toBe(0);
    expect(await world.log.end()).toBe(await firstPosition(world));
  });
});

test('commands whose log is locked try to record their use for 3 s at most', async () => {
  const world = await auditedLogs[0][1]();
  onTestFinished(() => world.close());
  await world.append(registered(1, '甲'));
  await world.log.found({ installation: newIdentityName(), epoch: newIdentityName() });
  // Others read; the appends of the commands wait for the lock, until the server ends them.
  await world.query('begin; lock table log.events in exclusive mode');
  const folder = await temporaryFolder();
  const programs = [
    ['replay'],
    ['export', '--to', join(folder, 'export')],
    ['backup', '--to', join(folder, 'backup')],
    ['rebuild', '--audit'],
    ['verify', '--read-models'],
  ].map(([command = '', ...parameters]) => ({
    command,
    program: startProgram(`scripts/${command}.ts`, parameters, {
      ...world.environment,
      DATA_DIR: folder,
      LOG_LEVEL: 'error',
    }),
  }));
  let longestMs = 0;
  const lacking = async () => {
    const [waiting] = await world.query<{ ms: number }>(
      `select max(1000 * extract(epoch from clock_timestamp() - waitstart))::float8 as ms from pg_locks
        where not granted and database = (select oid from pg_database where datname = current_database())`,
    );
    longestMs = Math.max(longestMs, waiting?.ms ?? 0);
    const said = ({ command }: { command: string }) =>
      `${command}: the log does not take a record of this use: `;
    return programs.filter((one) => !one.program.stderr().includes(said(one))).map(({ command }) => command);
  };
  await expect.poll(lacking, { timeout: 25_000, interval: 50 }).toEqual([]);
  // Two attempts, each for half of the time; those of other appends take 5 s.
  expect(longestMs).toBeGreaterThan(0);
  expect(longestMs).toBeLessThan(4_000);
  await world.query('rollback');
  await Promise.all(programs.map(({ program }) => program.ended));
});

async function firstPosition({ log }: AuditedLog): Promise<Position | undefined> {
  for await (const { position } of log.readAll()) return position;
  return undefined;
}
