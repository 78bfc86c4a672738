import { randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { headBefore } from '../../../services/audit/copy/covering-head.ts';
import { auditorName } from '../../../services/audit/index/audit-task.ts';
import { HeadSigning } from '../../../services/audit/tree/head-signing.ts';
import { Heads, latestHead, signHead } from '../../../services/audit/tree/heads.ts';
import { signingKey, verifierOf } from '../../../services/audit/tree/note.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { verifiedInWords } from '../../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import { audit, seed, signer } from '../../support/audited-tree.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { silent } from '../../support/projecting.ts';

const events = 700;
const tables = ['events', 'digests', 'tiles', 'heads'];
const zeros = `decode(repeat('00', 32), 'hex')`;
const index = 'audit.events';
const last = '(select max(first) from audit.digests)';
const anotherRow = `number + 600, recorded, revision, acted_for, mid, id, position, stream, type, actor, correlation, causation, conversation`;

describe('npm run verify of a log that is as it was', () => {
  let audited: AuditedLog;
  let pool: Pool;
  beforeAll(async () => {
    audited = await auditedLogs[0][1]();
    pool = new Pool({ connectionString: audited.url });
    await seed(audited, events);
    await audit(audited);
    for (const size of [600, events]) {
      const root = await new TreeStore(pool).root(size);
      await new Heads(pool, signer.name).add(size, signHead(signer, { size, root }));
    }
    for (const table of tables) await pool.query(`create table ${table}_before as table audit.${table}`);
  });
  afterAll(async () => {
    await pool.end();
    await audited.close();
  });
  beforeEach(() => {
    onTestFinished(async () => {
      await pool.query('truncate audit.events, audit.digests, audit.tiles, audit.heads');
      for (const table of tables) await pool.query(`insert into audit.${table} table ${table}_before`);
    });
  });
  const verify = async () => {
    const options = { log: audited.log, database: pool, origin: signer.name };
    return verifiedInWords(await verifyLog({ ...options, verifier: verifierOf(signer) }));
  };

  /** Adds a head of no tree that another key has signed. */
  const addForeign = (name: string, size: number) => {
    const other = { name, key: signingKey(randomBytes(32)) };
    return new Heads(pool, name).add(size, signHead(other, { size, root: Buffer.alloc(32) }));
  };

  test.each([
    [
      'a row of a tile that is not full',
      `update ${index} set type = 'AccountEnabled' where number = 650`,
      'row 650',
    ],
    [
      'a digest of a tile that is not full',
      `update audit.digests set digests = substr(digests, 1, length(digests) - 32) || ${zeros} where first = ${last}`,
      'row 699',
    ],
  ])('says that the index was changed, and not the log, if %s was', async (_what, change, named) => {
    await pool.query(change);
    expect(await verify()).toMatch(`INDEX CHANGED: the log is as it was, but ${named} of its index is not `);
  });

  test.each([
    [
      'another hash of a tile',
      `update audit.tiles set hash = ${zeros} where index = 1`,
      'the hash of the events from 256 to 511 is another or is missing',
    ],
    [
      'a tile less',
      'delete from audit.tiles where index = 0',
      'the hash of the events from 0 to 255 is another or is missing',
    ],
    [
      'no last tile',
      'delete from audit.tiles where index = 1',
      'the hash of the events from 256 to 511 is another or is missing',
    ],
    [
      'a tile of events to come',
      `insert into audit.tiles values (0, 2, ${zeros})`,
      'it has hashes of events that are not there',
    ],
    [
      'a tile of a level too high',
      `insert into audit.tiles values (1, 0, ${zeros})`,
      'it has hashes of events that are not there',
    ],
    [
      'a tile of no level',
      `insert into audit.tiles values (100, 0, ${zeros}), (-1, 0, ${zeros}), (0, -1, ${zeros})`,
      'it has hashes of events that are not there',
    ],
    [
      'a digest less at its end',
      `update audit.digests set digests = substr(digests, 1, length(digests) - 32) where first = ${last}`,
      'it is of 699 events, and the index of 700',
    ],
    ['no digests', 'delete from audit.digests', 'it is of 0 events, and the index of 700'],
    [
      'a digest of no event',
      `insert into audit.digests values (100000, ${zeros})`,
      'it is of 100001 events, and the index of 700',
    ],
    [
      'a digest before the first',
      `insert into audit.digests values (-10, ${zeros})`,
      'digests of some events are missing, or are there twice',
    ],
    [
      'rows of the index less',
      `delete from ${index} where number >= 690`,
      'it is of 700 events, and the index of 690',
    ],
    [
      'a row of the index more',
      `insert into ${index} select ${anotherRow} from ${index} where number = 100`,
      'it is of 700 events, and the index of 701',
    ],
  ])('says that the tree was changed, and not the log, if it has %s', async (_what, change, what) => {
    await pool.query(change);
    expect(await verify()).toBe(
      `TREE CHANGED: the log is as it was, but the tree that is stored of it is not: ${
        what.startsWith('the hash') ? `the log has what was signed, and ${what}` : what
      }; make it again: npm run rebuild -- --audit`,
    );
  });

  test('says so if index and tree end before the events that were audited', async () => {
    await pool.query(`delete from ${index} where number >= 690`);
    await pool.query(
      `update audit.digests set digests = substr(digests, 1, (690 - first)::int * 32) where first = ${last}`,
    );
    expect(await verify()).toMatch(
      /^TREE CHANGED: .*: it is of 690 events, and its checkpoint, 0*700, is that of 700;/,
    );
  });

  test.each([
    ['holds no note', `update audit.heads set note = 'none' where size = 600`, 600],
    ['says fewer events than its note', 'update audit.heads set size = 500 where size = 600', 500],
    ['says more events than its note', 'update audit.heads set size = 900 where size = 700', 900],
    ['says no events', 'update audit.heads set size = 0 where size = 600', 0],
    [
      'holds the note of another',
      'update audit.heads set note = (select note from audit.heads where size = 600) where size = 700',
      700,
    ],
  ])('names the row of a head that %s', async (_what, change, size) => {
    await pool.query(change);
    expect(await verify()).toMatch(
      `HEAD CHANGED: the row of the stored head of the first ${size} events of ${signer.name} `,
    );
  });

  test('says that events differ if the log, its index and its tiles were changed alike and nothing was signed', async () => {
    await pool.query('delete from audit.heads');
    await pool.query(`update audit.tiles set hash = ${zeros} where index = 1`);
    expect(await verify()).toMatch(/^NOT THE SAME: the events from 256 to 511 /);
  });

  test('a changed head is given to nobody, and no head is signed behind it', async () => {
    await pool.query(`update audit.heads set size = 900, signed = now() where size = 700`);
    await expect(latestHead(pool, signer.name)).rejects.toThrow(
      'the stored head of the first 900 events of bubble-im/test was changed',
    );
    const signing = new HeadSigning({
      ...{ log: audited.log, database: pool, follower: auditorName, logger: silent, signer, everyMs: 20 },
    });
    onTestFinished(() => signing.stop());
    signing.start();
    await expect.poll(() => signing.status().fault, { timeout: 10_000 }).toContain('was changed');
  });

  test.each(["now() + interval '10 years'", "'infinity'", "'-infinity'", "'280000-01-01'"])(
    'the last head is the one of most events, though the row of another says it was signed at %s',
    async (time) => {
      await pool.query(`update audit.heads set signed = ${time} where size = 600`);
      expect((await latestHead(pool, signer.name))?.size).toBe(events);
    },
  );

  test.each([
    ['of these events', 500],
    ['of events to come', 900],
  ])('names a head %s that nobody signed, and does not say that the log differs from it', async (_, size) => {
    await addForeign(signer.name, size);
    expect(await verify()).toMatch(
      `HEAD NOT SIGNED: the stored head of the first ${size} events is not signed by the key of ${signer.name} `,
    );
  });

  test('says that the index was changed, also if a head behind it was signed by nobody', async () => {
    await pool.query('delete from audit.heads where size = 600');
    await addForeign(signer.name, 680);
    await pool.query(`update ${index} set type = 'AccountEnabled' where number = 650`);
    expect(await verify()).toMatch('INDEX CHANGED: the log is as it was, but row 650 of its index is not ');
  });

  test('no head of another name is the last one, and verify says if the key has not signed it', async () => {
    await pool.query('delete from audit.heads');
    await addForeign('bubble-im/foreign', events);
    const root = await new TreeStore(pool).root(600);
    const before = { name: 'bubble-im/before', key: signer.key };
    await new Heads(pool, before.name).add(600, signHead(before, { size: 600, root }));
    expect(await latestHead(pool, signer.name, verifierOf(signer))).toBeUndefined();
    expect(await latestHead(pool, signer.name)).toBeUndefined();
    expect(await headBefore(pool, signer.name)).toBeUndefined();
    const words = await verify();
    expect(words).toContain('It was not compared with the heads of bubble-im/before, bubble-im/foreign: ');
    expect(words).toContain(
      'The last head of bubble-im/foreign is not signed by the key of this log: nothing rests on it.',
    );
  });

  test('a last head that the key has not signed is given to nobody who has the key', async () => {
    await addForeign(signer.name, 900);
    await expect(latestHead(pool, signer.name, verifierOf(signer))).rejects.toThrow(
      'the stored head of the first 900 events of bubble-im/test is not signed by the key that is known here',
    );
  });

  test('the last head is of the name that is asked for, though another has more events and a later time', async () => {
    await pool.query(
      `insert into audit.heads (origin, size, note, signed)
         values ('bubble-im/before', 900, 'of a log that was put back', now() + interval '10 years')`,
    );
    expect((await latestHead(pool, signer.name))?.size).toBe(events);
  });

  test.each([
    ['in years', "now() + interval '10 years'", 600, 'the head of the first 700 events says'],
    ['at the end of time', "'infinity'", 700, 'it is now'],
  ])(
    'says of a head whose row says that it was signed %s that this cannot be, and that the log is as it was',
    async (_when, time, size, than) => {
      await pool.query(`update audit.heads set signed = ${time} where size = ${size}`);
      const words = await verify();
      expect(words).toMatch(/^The log is as it was: /);
      expect(words).toContain(
        `The stored head of the first ${size} events says that it was signed later than ${than}: the time in the row was changed`,
      );
    },
  );

  test.each(["now() + interval '10 years'", "'infinity'", "'280000-01-01'"])(
    'heads are signed on though the last one is said to be signed at %s',
    async (time) => {
      await pool.query(`delete from audit.heads where size = ${events}`);
      await pool.query(`update audit.heads set signed = ${time} where size = 600`);
      const signing = new HeadSigning({
        ...{ log: audited.log, database: pool, follower: auditorName, logger: silent, signer, everyMs: 20 },
      });
      onTestFinished(() => signing.stop());
      signing.start();
      await vi.waitUntil(() => signing.status().size === events, { timeout: 10_000 });
    },
  );
});
