import { randomBytes } from 'node:crypto';
import { setImmediate as immediate } from 'node:timers/promises';
import { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ComingHeads } from '../../../services/audit/tree/coming-heads.ts';
import { Heads, openHead, signHead } from '../../../services/audit/tree/heads.ts';
import { signingKey, verifierOf } from '../../../services/audit/tree/note.ts';
import { storedExtent } from '../../../services/audit/tree/stored-extent.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { Verification } from '../../../services/audit/tree/verification.ts';
import { isAsItWas } from '../../../services/audit/tree/verified.ts';
import { verifiedInWords } from '../../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import { streamName } from '../../../services/domain/aggregate.ts';
import { audit, seed, signer } from '../../support/audited-tree.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

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
  const verify = () => verifyLog({ log: audited.log, database: pool, origin: signer.name });
  const difference = async () => (await verify()).difference;
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

  test('fails with the database while it reads the log, and with nothing that nobody awaits', async () => {
    class LostIndex extends TreeStore {
      override async lines(): Promise<string> {
        throw new Error('the index cannot be read');
      }
    }
    const log = wrapLog(audited.log, {
      async *readAll(options) {
        // Until what the failure leaves behind would count as unhandled.
        await immediate();
        yield* audited.log.readAll(options);
      },
    });
    const options = { log, database: pool, origin: signer.name };
    const heads = new ComingHeads(new Heads(pool, signer.name), 0, []);
    const verification = new Verification(options, new LostIndex(pool), await storedExtent(pool), heads);
    await expect(verification.run()).rejects.toThrow('the index cannot be read');
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

  test.each([
    ['data', 'update log.events set data = regexp_replace(data, $1, $2) where position = 334'],
    ['metadata', 'update log.events set metadata = regexp_replace(metadata, $1, $2) where position = 334'],
  ])(
    'names the event whose %s have a key twice, of which reading them gives the last',
    async (text, change) => {
      await pool.query(change, ['^\\{("[^"]*")', '{\\1:"7777777",\\1']);
      const { stream, revision } = await at(333);
      const verified = await verify();
      expect(verified).toMatchObject({
        difference: undefined,
        unread: [{ event: { stream, revision }, texts: [text] }],
      });
      expect(isAsItWas(verified)).toBe(false);
      expect(verifiedInWords(verified)).toMatch(
        new RegExp(
          `^CHANGED: ${stream}@${revision} \\(.*\\) was not appended so: its ${text} hold .*\\nOtherwise the log is`,
        ),
      );
    },
  );

  test('names one thing that differs, and one head that fits, in the singular', async () => {
    expect(verifiedInWords(await verify())).toContain(` 1 signed head fits, that of ${events} events. `);
    await pool.query(`update log.events set type = 'AccountEnabled' where position = 334`);
    expect(verifiedInWords(await verify())).toMatch(/: its type differs$/);
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

  test('names beside a removed event the streams whose beginnings the store hides', async () => {
    await pool.query('delete from log.events where position = 401');
    const [one, other] = [await at(400), await at(1)];
    const log = wrapLog(audited.log, {
      async *hiddenStreams() {
        for (const { stream } of [one, other]) yield { stream: streamName(stream), readableFrom: undefined };
      },
    });
    const { difference: found } = await verifyLog({ log, database: pool, origin: signer.name });
    expect(found).toMatchObject({
      ...{ kind: 'removed', number: 400, event: { id: one.id } },
      hidden: { streams: [{ stream: other.stream, number: 1 }], more: 0 },
    });
  });

  test('names the last event if it was deleted', async () => {
    await pool.query(`delete from log.events where position = ${events}`);
    const { id } = await at(events - 1);
    expect(await difference()).toMatchObject({ kind: 'removed', number: events - 1, event: { id } });
  });

  test('names the event that was inserted between others', async () => {
    await pool.query('update log.events set position = position + 10000 where position > 120');
    await pool.query('update log.events set position = position - 9999 where position > 10000');
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
    await pool.query('update log.events set position = 10000 where position = 200');
    await pool.query('update log.events set position = 200 where position = 201');
    await pool.query('update log.events set position = 201 where position = 10000');
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

  test('names a stored head that the key of the log has not signed', async () => {
    const root = await new TreeStore(pool).root(300);
    const [forged] = signHead({ ...signer, key: signingKey(randomBytes(32)) }, { size: 300, root }).split(
      '—',
    );
    const [, signature] = signHead(signer, { size: 200, root }).split('—');
    await new Heads(pool, signer.name).add(300, `${forged}—${signature}`);
    onTestFinished(async () => {
      await pool.query('delete from audit.heads where size = 300');
    });
    const verifier = verifierOf(signer);
    const verified = await verifyLog({ log: audited.log, database: pool, origin: signer.name, verifier });
    expect(verified.difference).toEqual({ kind: 'head not signed', origin: signer.name, size: 300 });
    expect(await difference()).toBeUndefined();
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
