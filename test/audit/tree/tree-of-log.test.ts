import { Pool } from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { categories } from '../../../contracts/events/index.ts';
import { GrowingTree } from '../../../services/audit/tree/growing-tree.ts';
import { leafHash } from '../../../services/audit/tree/hashes.ts';
import { textOf, treeEntryOf } from '../../../services/audit/tree/tree-entry.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import type { EventLog } from '../../../services/log/log.ts';
import { audit, consumers, seed, signer } from '../../support/audited-tree.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The tree over all events of a log, made without anything stored. */
async function treeOf(log: EventLog): Promise<GrowingTree> {
  const tree = new GrowingTree();
  for await (const record of log.readAll({ prefixes: categories }))
    tree.append(leafHash(textOf(treeEntryOf(record))));
  return tree;
}

describe.each(auditedLogs)('the tree of a log in %s', (_name, open) => {
  let audited: AuditedLog;
  let pool: Pool;
  beforeEach(async () => {
    audited = await open();
    pool = new Pool({ connectionString: audited.url });
    return async () => {
      await pool.end();
      await audited.close();
    };
  });
  const verify = () => verifyLog({ log: audited.log, database: pool, origin: signer.name });

  test('is that of its events, and continues where the auditor before stopped', async () => {
    const store = () => new TreeStore(pool);
    await seed(audited, 300);
    await audit(audited);
    expect(hex(await store().root(300))).toBe(hex((await treeOf(audited.log)).root()));
    for (let index = 0; index < 5; index++) {
      await audited.appendRaw(`user-${900 + index}`, 'AccountDisabled', { uid: 900 + index });
      await audit(audited);
    }
    const tree = await treeOf(audited.log);
    expect(await store().size()).toBe(305);
    expect(hex(await store().root(305))).toBe(hex(tree.root()));
    expect(await verify()).toMatchObject({ size: 305, audited: 305, difference: undefined });
  });

  test('is made again together with the index if it lacks events', async () => {
    await seed(audited, 300);
    const auditor = await audited.startAuditor();
    await audited.indexed(auditor);
    await auditor.stop();
    expect(await new TreeStore(pool).size()).toBe(0);
    await audit(audited);
    expect(hex(await new TreeStore(pool).root(300))).toBe(hex((await treeOf(audited.log)).root()));
  });

  test('holds an event that the log has twice under one id once', async () => {
    await seed(audited, 20);
    const twice = wrapLog(audited.log, {
      remembersIds: 'recently',
      async *readAll(options) {
        for await (const record of audited.log.readAll(options)) yield* [record, record];
      },
      async *subscribe(options) {
        for await (const records of audited.log.subscribe(options)) yield [...records, ...records];
      },
    });
    const auditor = await audited.startAuditor({ log: twice, consumers });
    await audited.indexed(auditor);
    await auditor.stop();
    const verified = await verifyLog({ log: twice, database: pool, origin: signer.name });
    expect(verified).toMatchObject({ size: 20, audited: 20, difference: undefined });
  });
});
