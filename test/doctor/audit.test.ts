import { Pool } from 'pg';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { audit, seed } from '../support/audited-tree.ts';
import { type AuditedLog, auditedLogs } from '../support/auditing.ts';
import { about, examined, faultsOf } from './doctor-harness.ts';

describe('of a log whose programs are at rest the doctor', () => {
  let audited: AuditedLog;
  let pool: Pool;
  beforeEach(async () => {
    audited = await auditedLogs[0][1]();
    pool = new Pool({ connectionString: audited.url });
    onTestFinished(async () => {
      await pool.end();
      await audited.close();
    });
    await seed(audited, 20);
    await pool.query(`update followers.checkpoint set installation = 'abcdefabcdef', epoch = 'abcdefabcdef'`);
    await audited.log.found({ installation: 'abcdefabcdef', epoch: 'abcdefabcdef' });
  });
  const doctor = (more: Readonly<Record<string, string>> = {}) =>
    examined({ ...audited.environment, ...more });

  test('says that there is no index, or that it has all events', async () => {
    expect(about('audit', await doctor())).toEqual(['warning: there is no index of this log']);
    expect(about('audit', await doctor({ AUDIT: 'off' }))).toEqual([]);
    await audit(audited);
    const found = await doctor();
    expect(about('audit', found)).toEqual(['ok: the index has all events of the log']);
    expect(about('proof', found)).toEqual([]);
  });

  test('warns of an index that is far behind', async () => {
    await audit(audited);
    await seed(audited, 30, 'later');
    await pool.query(
      `update log.events set recorded = recorded + interval '1 minute' where position = (select max(position) from log.events)`,
    );
    expect(about('audit', await doctor())).toEqual([
      expect.stringMatching(/^warning: the index lacks 30 events of the log, 1 min/),
    ]);
  });

  test('names the fault of an auditor that has stopped', async () => {
    await audit(audited);
    await pool.query(`update followers.checkpoint set fault = 'the disk is full' where name = 'audit'`);
    expect(faultsOf(await doctor())).toContain(
      'audit: the auditor does not follow the log: the disk is full',
    );
  });

  test('names what /ready names under proof: an event whose text is not read whole, and one of a type of the store', async () => {
    await audited.appendRaw('user-77777', 'AccountDisabled', { uid: 77777 });
    await audited.appendRaw('user-77777', 'AccountEnabled', { uid: 77777 });
    await pool.query(
      `update log.events set data = '{"uid":7,"uid":77777}' where stream = 'user-77777' and revision = 0`,
    );
    await pool.query(`update log.events set type = '$odd' where stream = 'user-77777' and revision = 1`);
    await audit(audited);
    const faults = faultsOf(await doctor());
    expect(faults).toContainEqual(
      expect.stringMatching(/^proof: user-77777@0 .* its data hold what reading/),
    );
    expect(faults).toContainEqual(expect.stringMatching(/^proof: user-77777@1 \(\$odd\) /));
  });
});
