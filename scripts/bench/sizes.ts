import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { postgresFolder } from '../../services/installation.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { runningEmbeddedUrl } from '../../services/postgres/embedded/embedded.ts';
import { HttpConnection } from './http-connection.ts';
import type { Bench } from './main.ts';
import { callAsServer, makePeople, type Person } from './people.ts';
import { type RunningProgram, startProgram } from './program.ts';

export const bench: Bench = {
  summary: 'bytes that a message takes on the disk, by table, with indexes',
  options: (command: Command) =>
    command
      .option('--messages <n>', 'how many between two, and as many in a group', Number, 20_000)
      .option('--length <n>', 'Chinese characters of a message', Number, 20)
      .option('--members <n>', 'of the group', Number, 20)
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8799),
  run: async ({ messages, length, members, port }) =>
    measure(Number(messages), Number(length), Number(members), Number(port)),
};

/** Messages on the way at once. */
const lanes = 20;

async function measure(count: number, length: number, members: number, port: number): Promise<void> {
  const program = await startProgram(port);
  try {
    const people = await makePeople(program, members);
    const [tom, jerry] = people;
    if (tom === undefined || jerry === undefined) throw new Error('two members at least');
    await callAsServer(program, '/friend/add', { login_uid: tom.uid, friend_uid: jerry.uid });
    const created = await callAsServer(program, '/group/create', {
      login_uid: tom.uid,
      members: people.map(({ uid }) => uid),
    });
    const { gid } = z.object({ gid: z.coerce.number() }).parse(created);
    const content = '泡'.repeat(length);
    const kinds = [
      ['between two', { to: jerry.uid, type: 'friend', content }],
      [`in a group of ${members}`, { to: gid, type: 'group', content }],
    ] as const;
    for (const [name, message] of kinds) {
      const before = await sizesOf(program);
      await sendAll(program, tom, message, count);
      print(name, count, before, await sizesOf(program));
    }
  } finally {
    await program.stop();
  }
}

async function sendAll(
  program: RunningProgram,
  { token }: Person,
  message: Readonly<Record<string, string | number>>,
  count: number,
): Promise<void> {
  let sent = 0;
  const lane = async () => {
    const connection = await HttpConnection.open(program.port);
    for (; sent < count; ) {
      sent++;
      const answer = await connection.post(
        '/api/message/send',
        `Authorization: Bearer ${token}\r\n`,
        JSON.stringify(message),
      );
      if (!answer.startsWith('{"code":0,')) throw new Error(answer);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Bytes of a table, and of its indexes among them. */
interface Size {
  readonly table: string;
  readonly bytes: number;
  readonly indexes: number;
}

/** The sizes of all tables, once read models and index show the whole log. */
async function sizesOf(program: RunningProgram): Promise<Map<string, Size>> {
  await caughtUp(program);
  const url = process.env.DATABASE_URL ?? (await runningEmbeddedUrl(postgresFolder(program.folder)));
  if (url === undefined) throw new Error('the database does not run');
  const client = await openClient(url, { name: 'bubble-im bench', statementTimeoutMs: 60_000 });
  try {
    const { rows } = await client.query<Size>(
      `select schemaname || '.' || relname as table, pg_total_relation_size(relid)::float8 as bytes,
              pg_indexes_size(relid)::float8 as indexes from pg_stat_user_tables`,
    );
    return new Map(rows.map((row) => [row.table, row]));
  } finally {
    await client.end();
  }
}

const Ready = z.object({ parts: z.record(z.string(), z.looseObject({ ready: z.boolean() })) });

async function caughtUp(program: RunningProgram): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${program.port}/ready`);
    const { parts } = Ready.parse(await answer.json());
    if (parts.projections?.lag_ms === 0 && parts.audit?.events_to_come === undefined) return;
    await delay(200);
  }
}

function print(
  name: string,
  count: number,
  before: ReadonlyMap<string, Size>,
  after: ReadonlyMap<string, Size>,
): void {
  const grown = [...after.values()]
    .map(({ table, bytes, indexes }) => ({
      table,
      bytes: (bytes - (before.get(table)?.bytes ?? 0)) / count,
      indexes: (indexes - (before.get(table)?.indexes ?? 0)) / count,
    }))
    .filter(({ bytes }) => bytes >= 1)
    .sort((one, other) => other.bytes - one.bytes);
  const total = (of: 'bytes' | 'indexes') => grown.reduce((sum, size) => sum + size[of], 0);
  console.log(`${count} messages ${name}: bytes for each, those of indexes among them`);
  const rows = [...grown, { table: 'all', bytes: total('bytes'), indexes: total('indexes') }];
  for (const { table, bytes, indexes } of rows) {
    console.log(`  ${table.padEnd(28)} ${bytes.toFixed(0).padStart(6)} ${indexes.toFixed(0).padStart(6)}`);
  }
}
