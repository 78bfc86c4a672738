import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { auditorName } from '../../../services/audit/index/audit-task.ts';
import { compareIndex } from '../../../services/audit/index/compare-index.ts';
import { exportTree } from '../../../services/audit/tree/export-tree.ts';
import { HeadSigning } from '../../../services/audit/tree/head-signing.ts';
import { latestHead } from '../../../services/audit/tree/heads.ts';
import { verifierOf } from '../../../services/audit/tree/note.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { verifiedInWords } from '../../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import { audit, seed, signer } from '../../support/audited-tree.ts';
import { type AuditedLog, auditedLogs, openEventStoreDB } from '../../support/auditing.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { silent } from '../../support/projecting.ts';

const events = 20;

/** A log in whose middle lies an event whose type somebody wrote past the program. */
const places: readonly [string, string, (type: string) => Promise<AuditedLog>][] = [
  ['Postgres', 'of 70,000 characters', inPostgres],
  ['EventStoreDB (a double)', 'of 70,000 characters', inEventStoreDB],
  ['EventStoreDB (a double)', 'with NUL', inEventStoreDB],
];

async function inPostgres(type: string): Promise<AuditedLog> {
  const audited = await auditedLogs[0][1]();
  await fill(audited, () =>
    audited.query(`update log.events set type = $1 where stream = 'user-77777'`, [type]),
  );
  return audited;
}

async function inEventStoreDB(type: string): Promise<AuditedLog> {
  const audited = await openEventStoreDB();
  const { store } = audited;
  await fill(audited, async () => {
    const record = store.records.find(({ stream }) => stream.endsWith('user-77777'));
    record?.proposal.getMetadataMap().set('type', type);
  });
  return audited;
}

async function fill(audited: AuditedLog, change: () => Promise<unknown>): Promise<void> {
  await seed(audited, events);
  await audited.appendRaw('user-77777', 'AccountDisabled', { uid: 77777 });
  await change();
  await audited.appendRaw('user-88888', 'AccountDisabled', { uid: 88888 });
}

describe.each(places)('in %s an event with a type %s', (_, what, open) => {
  test('is named by verify and under proof, and the auditor, the tree and its export go on behind it', async () => {
    const type = what === 'with NUL' ? 'Account\0Disabled' : randomBytes(35_000).toString('hex');
    const audited = await open(type);
    const pool = new Pool({ connectionString: audited.url });
    onTestFinished(async () => {
      await pool.end();
      await audited.close();
    });
    await audit(audited);
    const signing = new HeadSigning({
      ...{ log: audited.log, database: pool, follower: auditorName, logger: silent, signer, everyMs: 20 },
    });
    onTestFinished(() => signing.stop());
    signing.start();
    await vi.waitUntil(() => signing.status().size === events + 2, { timeout: 15_000 });
    const named =
      /user-77777@0 \(\$none-sha256-[0-9a-f]{64}\) at position \S+ was not appended so: its type is longer/;
    await expect.poll(() => signing.status().fault ?? '', { timeout: 10_000 }).toMatch(named);

    const verifier = verifierOf(signer);
    const verified = await verifyLog({ log: audited.log, database: pool, origin: signer.name, verifier });
    expect(verified).toMatchObject({ difference: undefined, size: events + 2, heads: 1 });
    expect(verified.misplaced).toMatchObject([{ misplacement: 'no type' }]);
    expect(verifiedInWords(verified)).toMatch(named);

    const client = new Client({ connectionString: audited.url });
    await client.connect();
    const onDifference = vi.fn();
    await compareIndex({ log: audited.log, client, onDifference }).finally(() => client.end());
    expect(onDifference).not.toHaveBeenCalled();

    const head = await latestHead(pool, signer.name, verifier);
    if (!head) throw new Error('no head was signed');
    const folder = join(await temporaryFolder(), 'tree');
    await exportTree({ store: new TreeStore(pool), head, folder }, () => undefined);
    expect(await readdir(folder)).toContain('checkpoint');
  });
});
