import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bools, int4s, int8s, pipeline, texts, uuids } from '../../services/postgres/pipeline.ts';
import { createDatabase } from '../support/database.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
let client: Client;

beforeAll(async () => {
  database = await createDatabase();
  client = await connect();
  await client.query('create table note (id int8 primary key, body text)');
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

async function connect(): Promise<Client> {
  const opened = new Client({ connectionString: database.url });
  opened.on('error', () => undefined);
  await opened.connect();
  return opened;
}

const insert = (id: number, body: string) => ({
  name: 'insert note',
  text: 'insert into note values ($1, $2)',
  values: [id, body],
});
const select = {
  name: 'select notes',
  text: 'select id::int4 as id, body from note order by id',
  values: [],
};
const failing = { name: 'divide', text: 'select 1 / $1::int4 as quotient', values: [0] };

async function notes(): Promise<unknown[]> {
  return (await client.query('select id::int4 as id, body from note order by id')).rows;
}

describe('several statements in one round trip', () => {
  it('return their rows in order, the first time and again', async () => {
    await client.query('delete from note');
    for (const round of [0, 10]) {
      const results = await pipeline(client, [
        insert(round + 1, 'a'),
        insert(round + 2, 'b'),
        select,
        { name: 'one', text: 'select 1 as one, null::text as nothing', values: [] },
      ]);
      expect(results[0]).toEqual([]);
      expect(results[2]?.slice(-2)).toEqual([
        { id: round + 1, body: 'a' },
        { id: round + 2, body: 'b' },
      ]);
      expect(results[3]).toEqual([{ one: 1, nothing: null }]);
    }
  });

  it('change nothing if one has an error, and the client stays usable', async () => {
    await client.query('delete from note');
    const fresh = await connect();
    for (let round = 0; round < 3; round++) {
      await expect(pipeline(fresh, [insert(1, 'a'), failing, insert(2, 'b')])).rejects.toMatchObject({
        code: '22012',
      });
    }
    expect(await notes()).toEqual([]);
    await expect(
      pipeline(fresh, [{ name: 'unwritten', text: 'select from nowhere', values: [] }]),
    ).rejects.toMatchObject({ code: '42P01' });
    await pipeline(fresh, [insert(1, 'a'), { ...failing, values: [1] }]);
    expect(await notes()).toEqual([{ id: 1, body: 'a' }]);
    await fresh.end();
  });

  it('are prepared again after a change of their tables', async () => {
    const statement = { name: 'all', text: 'select * from shape', values: [] };
    const another = { name: 'all again', text: 'select * from shape order by 1', values: [] };
    await client.query('create table shape (a int); insert into shape values (1)');
    expect(await pipeline(client, [statement, another])).toEqual([[{ a: 1 }], [{ a: 1 }]]);
    await client.query('alter table shape add b int');
    const wider = [{ a: 1, b: null }];
    expect(await pipeline(client, [insert(77, 'once'), statement, another])).toEqual([[], wider, wider]);
    expect(await pipeline(client, [statement, another])).toEqual([wider, wider]);
    await client.query('delete from note where id = 77');
  });

  it('transport arrays of every type, with nulls and empty ones', async () => {
    const echo = (name: string, type: string, value: ReturnType<typeof texts>) => ({
      name,
      text: `select $1::${type}[] as value`,
      values: [value],
    });
    const texted = ['', 'a"b\\c,{}', '泡泡🫧', null, 'NULL', '\ud800'];
    const ids = ['0190163d-8694-739b-aea5-966c26f8ad91', null, 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
    const whole = [0, -1, 4294967296, -4294967297, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, null];
    const results = await pipeline(client, [
      echo('texts', 'text', texts(texted)),
      echo('uuids', 'uuid', uuids(ids)),
      echo('int8s', 'int8', int8s(whole)),
      echo('int4s', 'int4', int4s([0, -2147483648, 2147483647, null])),
      echo('bools', 'bool', bools([true, false, null])),
      echo('texts', 'text', texts([])),
      echo('texts', 'text', texts(['x'.repeat(1_000_000)])),
    ]);
    expect(results.map(([row]) => row?.value)).toEqual([
      [...texted.slice(0, -1), '\ufffd'],
      ids,
      whole.map((value) => (value === null ? null : String(value))),
      [0, -2147483648, 2147483647, null],
      [true, false, null],
      [],
      ['x'.repeat(1_000_000)],
    ]);
  });

  it('transport single values', async () => {
    const text = 'select $1::int8 as a, $2::bool as b, $3::text as c, $4::int8 as d, $5::text as e';
    const values = [5, true, '泡泡', 2n ** 62n, null];
    expect(await pipeline(client, [{ name: 'single', text, values }])).toEqual([
      [{ a: '5', b: true, c: '泡泡', d: String(2n ** 62n), e: null }],
    ]);
  });

  it('are not sent if a value cannot be sent', async () => {
    await client.query('delete from note');
    for (const wrong of [int8s([2 ** 53]), int8s([1.5]), int4s([2 ** 31]), uuids(['not one'])]) {
      const statement = { name: 'wrong', text: 'select $1', values: [wrong] };
      await expect(pipeline(client, [insert(1, 'a'), statement])).rejects.toThrow(TypeError);
    }
    const renamed = { ...select, text: 'select 2' };
    await pipeline(client, [select]);
    await expect(pipeline(client, [insert(1, 'a'), renamed])).rejects.toThrow(TypeError);
    expect(await notes()).toEqual([]);
  });
});

describe('a connection that breaks', () => {
  it('fails running and waiting statements', async () => {
    const dying = await connect();
    const { rows } = await dying.query('select pg_backend_pid() as pid');
    const waiting = { name: 'wait', text: 'select pg_sleep(3600)', values: [] };
    const calls = [pipeline(dying, [insert(99, 'lost'), waiting]), pipeline(dying, [select])];
    const settled = Promise.allSettled(calls);
    const sleeping = `select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`;
    await expect.poll(async () => (await client.query(sleeping, [rows[0].pid])).rowCount).toBe(1);
    await client.query('select pg_terminate_backend($1)', [rows[0].pid]);
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(pipeline(dying, [select])).rejects.toThrow();
    expect(await notes()).not.toContainEqual({ id: 99, body: 'lost' });
  });

  it('fails statements that are sent afterwards', async () => {
    const dying = await connect();
    dying.connection.stream.destroy();
    await expect(pipeline(dying, [select])).rejects.toThrow();
  });
});
