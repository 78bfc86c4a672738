import { randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { categories } from '../../../contracts/events/index.ts';
import { history } from '../../../scripts/seed/history.ts';
import { GrowingTree } from '../../../services/audit/tree/growing-tree.ts';
import { leafHash } from '../../../services/audit/tree/hashes.ts';
import { Heads, openHead, signHead } from '../../../services/audit/tree/heads.ts';
import { signingKey, verifierOf } from '../../../services/audit/tree/note.ts';
import { treeConsumer } from '../../../services/audit/tree/tree-consumer.ts';
import { textOf, treeEntryOf } from '../../../services/audit/tree/tree-entry.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import { appendInOrder } from '../../../services/log/append-in-order.ts';
import type { EventLog } from '../../../services/log/log.ts';
import { type AuditedLog, auditedLogs, openEventStoreDB } from '../../support/auditing.ts';
import type { DoubleRecord } from '../../support/eventstoredb-double-store.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

const consumers = [treeConsumer];
const signer = { name: 'bubble-im/test', key: signingKey(randomBytes(32)) };

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The tree over all events of a log, made without anything stored. */
async function treeOf(log: EventLog): Promise<GrowingTree> {
  const tree = new GrowingTree();
  for await (const record of log.readAll({ prefixes: categories }))
    tree.append(leafHash(textOf(treeEntryOf(record))));
  return tree;
}

async function seed({ log }: AuditedLog, events: number, name = 'verify'): Promise<void> {
  await appendInOrder(log, history({ events, seed: name }), () => undefined);
}

/** Lets an auditor index all that the log holds. */
async function audit(audited: AuditedLog): Promise<void> {
  const auditor = await audited.startAuditor({ consumers });
  await audited.indexed(auditor);
  await auditor.stop();
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

describe('npm run verify of a log that was changed by hand', () => {
  let audited: AuditedLog;
  let pool: Pool;
  const events = 700;
  beforeAll(async () => {
    audited = await auditedLogs[0][1]();
    pool = new Pool({ connectionString: audited.url });
    await seed(audited, events);
    await audit(audited);
    await pool.query('create table before_all as select * from log.events');
    await pool.query('create table index_before as select * from audit.events');
    const root = await new TreeStore(pool).root(events);
    await new Heads(pool, signer.name).add(events, signHead(signer, { size: events, root }));
  });
  afterAll(async () => {
    await pool.end();
    await audited.close();
  });
  beforeEach(() => {
    onTestFinished(async () => {
      await pool.query('truncate log.events, audit.events');
      await pool.query('insert into log.events select * from before_all');
      await pool.query('insert into audit.events select * from index_before');
    });
  });
  const difference = async () => {
    const found = await verifyLog({ log: audited.log, database: pool, origin: signer.name });
    return found.difference;
  };
  const at = async (number: number) => {
    const { rows } = await pool.query<{ stream: string; revision: string; id: string; type: string }>(
      'select stream, revision, id, type from before_all where position = $1',
      [number + 1],
    );
    const [row] = rows;
    if (!row) throw new Error(`no event ${number}`);
    return { ...row, revision: Number(row.revision) };
  };

  test('finds nothing in one that was not', async () => {
    const verified = await verifyLog({ log: audited.log, database: pool, origin: signer.name });
    expect(verified).toMatchObject({ size: events, audited: events, heads: 1, signed: events });
    expect(verified.difference).toBeUndefined();
  });

  test.each([
    ['the data', `data = overlay(data placing '7' from position(':' in data) + 1 for 1)`, 'data or metadata'],
    ['the metadata', `metadata = replace(metadata, '"actor":"', '"actor":"1')`, 'data or metadata'],
    ['the time', `recorded = recorded + interval '1 millisecond'`, 'time'],
    ['the type', `type = 'AccountEnabled'`, 'type'],
  ])('names the event of which %s was changed', async (_what, change, what) => {
    const number = 333;
    await pool.query(`update log.events set ${change} where position = ${number + 1}`);
    const { stream, revision, id } = await at(number);
    expect(await difference()).toMatchObject({
      kind: 'changed',
      number,
      what,
      event: { stream, revision, id },
    });
  });

  test('names the event that was deleted', async () => {
    await pool.query('delete from log.events where position = 401');
    const { id, stream, revision } = await at(400);
    expect(await difference()).toMatchObject({
      kind: 'removed',
      number: 400,
      event: { id, stream, revision },
    });
  });

  test('names the last event if it was deleted', async () => {
    await pool.query(`delete from log.events where position = ${events}`);
    const { id } = await at(events - 1);
    expect(await difference()).toMatchObject({ kind: 'removed', number: events - 1, event: { id } });
  });

  test('names the event that was inserted between others', async () => {
    await pool.query('update log.events set position = -position where position > 120');
    await pool.query('update log.events set position = 1 - position where position < 0');
    await pool.query(
      `insert into log.events (position, stream, revision, id, type, data, metadata, recorded)
       values (121, 'user-77777', 0, '00000000-0000-7000-8000-000000077777', 'AccountDisabled', '{"uid":77777}', '{}', now())`,
    );
    expect(await difference()).toMatchObject({
      kind: 'inserted',
      number: 120,
      event: { stream: 'user-77777', revision: 0 },
    });
  });

  test('names the event that was put before another', async () => {
    await pool.query('update log.events set position = -200 where position = 200');
    await pool.query('update log.events set position = 200 where position = 201');
    await pool.query('update log.events set position = 201 where position = -200');
    const { id } = await at(200);
    expect(await difference()).toMatchObject({ kind: 'moved', number: 199, from: 200, event: { id } });
  });

  test('names the event that was replaced by another under another id', async () => {
    await pool.query(`update log.events set id = '00000000-0000-7000-8000-000000077777' where position = 55`);
    const { id } = await at(54);
    const instead = { id: '00000000-0000-7000-8000-000000077777' };
    expect(await difference()).toMatchObject({ kind: 'removed', number: 54, event: { id }, instead });
  });

  test('says so if the index was changed and not the log', async () => {
    await pool.query(`update audit.events set type = 'AccountEnabled' where number = 100`);
    expect(await difference()).toMatchObject({ kind: 'index changed', number: 100 });
  });

  test('names the events that differ if log and index were changed in the same way', async () => {
    await pool.query(`update log.events set type = 'AccountEnabled' where position = 301`);
    await pool.query(`update audit.events set type = 'AccountEnabled' where number = 300`);
    expect(await difference()).toEqual({ kind: 'not the same', from: 256, to: 512 });
  });

  test('compares with heads that were kept elsewhere, also if all that is stored was made again', async () => {
    const kept = openHead(
      signHead(signer, { size: 600, root: await new TreeStore(pool).root(600) }),
      verifierOf(signer),
    );
    const other = await auditedLogs[0][1]();
    onTestFinished(() => other.close());
    const otherPool = new Pool({ connectionString: other.url });
    onTestFinished(() => otherPool.end());
    await seed(other, events, 'another history');
    await audit(other);
    const found = await verifyLog({ log: other.log, database: otherPool, origin: signer.name, kept: [kept] });
    expect(found.difference).toEqual({ kind: 'not the same', from: 0, to: 600 });
    const same = await verifyLog({ log: audited.log, database: pool, origin: signer.name, kept: [kept] });
    expect(same).toMatchObject({ heads: 2, difference: undefined });
    await otherPool.query('truncate log.events, audit.events, audit.digests, audit.tiles');
    const emptied = await verifyLog({
      log: other.log,
      database: otherPool,
      origin: signer.name,
      kept: [kept],
    });
    expect(emptied.difference).toEqual({ kind: 'not the same', from: 0, to: 600 });
  });

  test('does not report what is appended and signed while it reads', async () => {
    const verified = verifyLog({
      log: audited.log,
      database: pool,
      origin: signer.name,
      onRead: vi.fn(),
    });
    await audited.appendRaw('user-1', 'AccountDisabled', { uid: 1 });
    expect((await verified).difference).toBeUndefined();
  });
});

describe('npm run verify of a log in EventStoreDB (a double) whose files were changed by hand', () => {
  let audited: Awaited<ReturnType<typeof openEventStoreDB>>;
  let pool: Pool;
  let before: readonly DoubleRecord[];
  const events = 300;
  beforeAll(async () => {
    audited = await openEventStoreDB();
    pool = new Pool({ connectionString: audited.url });
    await seed(audited, events);
    await audit(audited);
    before = [...audited.store.records];
    const root = await new TreeStore(pool).root(events);
    await new Heads(pool, signer.name).add(events, signHead(signer, { size: events, root }));
  });
  afterAll(async () => {
    await pool.end();
    await audited.close();
  });
  const difference = async () => {
    const verified = await verifyLog({ log: audited.log, database: pool, origin: signer.name });
    return verified.difference;
  };
  const at = (number: number): DoubleRecord => {
    const record = before[number];
    if (!record) throw new Error(`no event ${number}`);
    return record;
  };
  const named = ({ id, stream, revision }: DoubleRecord) => ({
    ...{ id, revision },
    stream: stream.slice('chat-'.length),
  });
  const changed = (...changes: readonly (readonly [number, DoubleRecord[]])[]) => {
    const records = before.flatMap((record, number) => new Map(changes).get(number) ?? [record]);
    audited.store.hold(records);
    onTestFinished(() => audited.store.hold(before));
  };

  test('finds nothing in one that was not', async () => {
    expect(await difference()).toBeUndefined();
  });

  test('names the event of which a byte was changed', async () => {
    const { proposal } = at(123);
    const data = Buffer.from(proposal.getData_asU8());
    const digit = data.findIndex((byte) => byte >= 0x30 && byte <= 0x38);
    proposal.setData(data.with(digit, (data[digit] ?? 0) + 1));
    onTestFinished(() => void proposal.setData(data));
    expect(await difference()).toMatchObject({
      ...{ kind: 'changed', number: 123, what: 'data or metadata' },
      event: named(at(123)),
    });
  });

  test('names the event that was deleted', async () => {
    changed([150, []]);
    expect(await difference()).toMatchObject({ kind: 'removed', number: 150, event: named(at(150)) });
  });

  test('names the last event if it was deleted', async () => {
    changed([events - 1, []]);
    expect(await difference()).toMatchObject({
      kind: 'removed',
      number: events - 1,
      event: named(at(events - 1)),
    });
  });

  test('names the event that was inserted between others', async () => {
    const inserted = {
      ...at(99),
      ...{ id: '00000000-0000-7000-8000-000000077777', stream: 'chat-user-77777', revision: 0 },
      position: at(99).position + 1,
    };
    changed([99, [at(99), inserted]]);
    expect(await difference()).toMatchObject({ kind: 'inserted', number: 100, event: named(inserted) });
  });

  test('names the first of two events that were swapped', async () => {
    const [first, second] = [at(40), at(200)];
    changed(
      [40, [{ ...second, position: first.position }]],
      [200, [{ ...first, position: second.position }]],
    );
    expect(await difference()).toMatchObject({ kind: 'moved', number: 40, from: 200, event: named(second) });
  });
});
