import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { between, registered, sent } from '../../support/events.ts';

const talk = between(1, 2);

describe.each(auditedLogs)('npm run rebuild -- --audit on a log in %s', (_, open) => {
  let world: AuditedLog;
  beforeEach(async () => {
    world = await open();
    await world.append(registered(1, '甲'));
    for (let number = 1; number <= 30; number++) await world.append(sent(talk, 1, number, 'x'));
  });
  afterEach(() => world.close());

  const numbers = async () => {
    const rows = await world.query<{ number: string }>('select number from audit.events order by number');
    return rows.map(({ number }) => Number(number));
  };
  const rebuild = () =>
    promisify(execFile)(process.execPath, ['scripts/rebuild.ts', '--audit'], {
      env: { PATH: process.env.PATH, LOG_LEVEL: 'error', ...world.environment },
    });
  /** The last one is the record of the command's use. */
  const all = Array.from({ length: 32 }, (_, number) => number);

  it('makes it again while no auditor works, also what was changed in it by hand', async () => {
    const auditor = await world.startAuditor();
    await world.indexed(auditor);
    await auditor.stop();
    await world.query('delete from audit.events where number between 5 and 9');
    await world.query('delete from audit.people');
    const { stdout } = await rebuild();
    expect(stdout).toBe('the index of the log was made again: 32 events\n');
    expect(await numbers()).toEqual(all);
    expect(await world.query('select 1 from audit.people where uid = 2')).toHaveLength(30);
  });

  it('has the working auditor make it again, which then continues', async () => {
    const auditor = await world.startAuditor();
    await world.indexed(auditor);
    await rebuild();
    expect(await numbers()).toEqual(all);
    await world.append(sent(talk, 1, 31, 'x'));
    await vi.waitUntil(async () => (await numbers()).length === 33, { timeout: 15_000 });
    expect(auditor.fault).toBeUndefined();
  });

  it('refuses a log that is not that of the installation, and leaves the index as it is', async () => {
    const auditor = await world.startAuditor();
    await world.indexed(auditor);
    await auditor.stop();
    await world.query(`update followers.checkpoint set installation = 'another'`);
    const before = await numbers();
    await expect(rebuild()).rejects.toThrow('and not to another');
    expect(await numbers()).toEqual(before);
  });
});
