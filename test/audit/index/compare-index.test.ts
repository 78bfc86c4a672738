import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { compareIndex, type IndexDifference } from '../../../services/audit/index/compare-index.ts';
import { makeIndexAgain } from '../../../services/audit/index/make-again.ts';
import { audit, seed } from '../../support/audited-tree.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';

const events = 600;
const tables = ['events', 'people', 'types'];

describe.each(auditedLogs)('comparing the index of a log in %s with the log', (_, open) => {
  let audited: AuditedLog;
  let client: Client;
  beforeAll(async () => {
    audited = await open();
    client = new Client({ connectionString: audited.url });
    await client.connect();
    await seed(audited, events);
    await audit(audited);
    for (const table of tables) await client.query(`create table ${table}_before as table audit.${table}`);
  });
  afterAll(async () => {
    await client.end();
    await audited.close();
  });
  beforeEach(() => {
    onTestFinished(async () => {
      await client.query('truncate audit.events, audit.people, audit.types');
      for (const table of tables) await client.query(`insert into audit.${table} table ${table}_before`);
    });
  });

  async function compare(): Promise<{ count: number | undefined; differences: IndexDifference[] }> {
    const differences: IndexDifference[] = [];
    const onDifference = (difference: IndexDifference) => void differences.push(difference);
    const count = await compareIndex({ log: audited.log, client, onDifference });
    return { count, differences };
  }

  test('finds nothing in one that an auditor made, also while events come that are not in it', async () => {
    await audited.appendRaw('user-77777', 'AccountDisabled', { uid: 77777 });
    expect(await compare()).toEqual({ count: events, differences: [] });
  });

  test.each([
    ['recorded', 'e.recorded + 1'],
    ['revision', 'e.revision + 1'],
    ['acted_for', '77777'],
    ['mid', '77777'],
    ['id', 'gen_random_uuid()'],
    ['position', `e.position || '0'`],
    ['stream', `'user-77777'`],
    ['type', `'AccountEnabled'`],
    ['actor', `'77777'`],
    ['actor', 'null'],
    ['correlation', `'another request'`],
    ['causation', `'another event'`],
    ['conversation', `'f1-77777'`],
  ])('names the event of which the row has another %s', async (column, value) => {
    const { rows } = await client.query(
      `update audit.events e set ${column} = ${value} from events_before b where b.number = 333 and e.number = 333
         returning b.stream, b.revision, b.${column}::text as before, e.${column}::text as after`,
    );
    const { stream, revision, before, after } = rows[0];
    expect((await compare()).differences).toEqual([
      {
        ...{ table: 'events', number: 333, event: `${stream}@${revision}`, column },
        ...{ is: after, expected: before },
      },
    ]);
  });

  test('names the row that is missing, and those that are too many', async () => {
    await client.query('delete from audit.events where number = 5');
    for (const number of [-3, events, 1_000_000_000])
      await client.query(
        'insert into audit.events select $1, recorded, revision, acted_for, mid, id, position, stream, type, actor, correlation, causation, conversation from audit.events where number = 7',
        [number],
      );
    const { differences } = await compare();
    expect(
      differences.map((one) => one.table === 'events' && [one.number, one.column, one.is === undefined]),
    ).toEqual([
      [5, undefined, true],
      [-3, undefined, false],
      [events, undefined, false],
      [1_000_000_000, undefined, false],
    ]);
  });

  test('names a person whom an event is about and is not said to be, and one whom it is not about', async () => {
    const { rows } = await client.query(
      'update audit.people set uid = 77777 where number = 400 and uid = (select min(uid) from audit.people where number = 400) returning (select min(uid) from people_before where number = 400) as uid',
    );
    await client.query(`insert into audit.people values (1, -1), (1, ${events}), (1, 1000000000)`);
    const { differences } = await compare();
    expect(differences).toMatchObject([
      { table: 'people', number: -1, event: undefined, uid: '1', fault: 'too many' },
      { table: 'people', number: 400, uid: rows[0].uid, fault: 'missing' },
      { table: 'people', number: 400, uid: '77777', fault: 'too many' },
      { table: 'people', number: events, event: undefined, uid: '1', fault: 'too many' },
      { table: 'people', number: 1_000_000_000, event: undefined, uid: '1', fault: 'too many' },
    ]);
  });

  test('names a type that is not said to lie in its category, and one that is said to lie where none is', async () => {
    await client.query(`update audit.types set category = 'friendship' where type = 'MessageSent'`);
    expect((await compare()).differences).toEqual([
      { table: 'types', category: 'conversation', type: 'MessageSent', fault: 'missing' },
      { table: 'types', category: 'friendship', type: 'MessageSent', fault: 'too many' },
    ]);
  });

  test('names the events that lie before the checkpoint and are not in the index', async () => {
    await client.query(`delete from audit.events where number >= ${events - 2}`);
    await client.query(`delete from audit.people where number >= ${events - 2}`);
    const { differences } = await compare();
    expect(
      differences
        .filter(({ table }) => table === 'events')
        .map((one) => one.table === 'events' && one.number),
    ).toEqual([events - 2, events - 1]);
  });

  test.each([
    ['answers otherwise', findingSeven('first_recorded(moment bigint)')],
    ['has a setting', 'alter function audit.first_after(place text) set enable_indexscan = off'],
    ['answers otherwise', findingSeven('first_after(place text)')],
  ])('names a function by which times are found that %s, until the index is made again', async (_, sql) => {
    const name = /audit\.\w+\(.*?\)/.exec(sql)?.[0];
    await client.query(sql);
    expect((await compare()).differences).toEqual([{ table: 'functions', name, fault: 'changed' }]);
    await mend();
    expect((await compare()).differences).toEqual([]);
  });

  test('names a function that is missing or was added, until the index is made again', async () => {
    await client.query('drop function audit.first_recorded(bigint)');
    await client.query(findingSeven('first_after(place varchar)'));
    await client.query(findingSeven('last_after(place text)'));
    expect((await compare()).differences).toEqual([
      { table: 'functions', name: 'audit.first_recorded', fault: 'missing' },
      { table: 'functions', name: 'audit.first_after(place character varying)', fault: 'too many' },
      { table: 'functions', name: 'audit.last_after(place text)', fault: 'too many' },
    ]);
    await mend();
    expect((await compare()).differences).toEqual([]);
  });

  test('names a row that says a sound event to have the id of another', async () => {
    onTestFinished(async () => void (await client.query('truncate audit.repeats')));
    const { rows } = await client.query(
      `insert into audit.repeats (position, stream, revision, first, id, type, recorded)
         select position, stream, revision, 20, id, type, recorded from events_before where number = 150
         returning position, stream, revision`,
    );
    const [{ position, stream, revision }] = rows;
    expect((await compare()).differences).toEqual([
      { table: 'repeats', position, event: `${stream}@${revision}`, fault: 'too many' },
    ]);
  });

  /** As `rebuild --audit` does, but for the auditor's work: the tables are put back after each test. */
  async function mend(): Promise<void> {
    const { rows } = await client.query('table followers.checkpoint');
    await makeIndexAgain(client, []);
    for (const { name, position, event_id } of rows)
      await client.query('update followers.checkpoint set position = $2, event_id = $3 where name = $1', [
        ...[name, position, event_id],
      ]);
    for (const table of tables) await client.query(`insert into audit.${table} table ${table}_before`);
  }
});

/** A function that finds the number 7 at all times. */
function findingSeven(name: string): string {
  return `create or replace function audit.${name} returns bigint language plpgsql stable as $$ begin return 7; end $$`;
}
