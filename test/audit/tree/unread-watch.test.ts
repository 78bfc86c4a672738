import { Pool } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { auditorName } from '../../../services/audit/index/audit-task.ts';
import { HeadSigning } from '../../../services/audit/tree/head-signing.ts';
import { audit, seed, signer } from '../../support/audited-tree.ts';
import { auditedLogs } from '../../support/auditing.ts';
import { silent } from '../../support/projecting.ts';

/** The text of an event's data, as it is and as somebody wrote it into the table. */
const [written, doubled] = ['{"uid":77777}', '{"uid":7,"uid":77777}'];

test('an event whose text holds a key twice is shown under proof, also after a restart, until it is written anew', async () => {
  const audited = await auditedLogs[0][1]();
  const pool = new Pool({ connectionString: audited.url });
  onTestFinished(async () => {
    await pool.end();
    await audited.close();
  });
  const changeTo = (data: string) =>
    pool.query(`update log.events set data = $1 where stream = 'user-77777'`, [data]);
  await seed(audited, 20);
  await audited.appendRaw('user-77777', 'AccountDisabled', { uid: 77777 });
  await changeTo(doubled);
  await audit(audited);
  const named =
    /^user-77777@0 \(AccountDisabled, recorded \S+\) was not appended so: its data hold what reading them leaves out/;
  for (const start of ['first', 'second']) {
    const signing = new HeadSigning({
      ...{ log: audited.log, database: pool, follower: auditorName, logger: silent, signer, everyMs: 20 },
    });
    onTestFinished(() => signing.stop());
    signing.start();
    await expect.poll(() => signing.status().fault ?? '', { timeout: 10_000 }).toMatch(named);
    await expect.poll(() => signing.status().size, { timeout: 10_000 }).toBe(21);
    if (start === 'first') await signing.stop();
    else {
      await changeTo(written);
      await expect.poll(() => signing.status().fault, { timeout: 10_000 }).toBeUndefined();
    }
  }
});
