import type { Client } from 'pg';
import { currentSchema } from './sets.ts';

interface Made {
  readonly ddl: string;
}

/** The tables, with their columns and settings, without indexes. */
const tables = `
  select format('create ' || $3 || ' table %I.%I (like %s including all excluding indexes)%s', $2::text, relname, c.oid::regclass,
                ' with (' || array_to_string(reloptions, ', ') || ')') as ddl
    from pg_class c where relnamespace = $1::regnamespace and relkind = 'r' order by relname`;

const keys = `
  select format('alter table %I.%I add constraint %I %s', $2::text, relname, conname, pg_get_constraintdef(k.oid)) as ddl
    from pg_constraint k join pg_class c on c.oid = conrelid
   where connamespace = $1::regnamespace and contype in ('p', 'u') order by relname, conname`;

/** Indexes that are no constraint's and that the set lacks. Those that are not unique slow the filling down. */
const indexes = `
  select replace(pg_get_indexdef(i.indexrelid), ' ON ${currentSchema}.', format(' ON %I.', $2::text)) as ddl
    from pg_index i join pg_class c on c.oid = i.indexrelid
   where c.relnamespace = $1::regnamespace
     and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
     and to_regclass(format('%I.%I', $2::text, c.relname)) is null
     and (i.indisunique or c.relname = any ($3) or $4)
   order by c.relname`;

/** What others than the owner may do with the tables, which operators may have granted. */
const grants = `
  select format('grant %s on %I.%I to %s', privilege_type, $2::text, relname, grantee_name) as ddl
    from pg_class c cross join aclexplode(relacl) a
    cross join lateral (
      select case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as grantee_name) g
   where relnamespace = $1::regnamespace and relkind = 'r' and grantee <> relowner
  union all
  select format('grant %s on schema %I to %s', privilege_type, $2::text, grantee_name)
    from pg_namespace n cross join aclexplode(nspacl) a
    cross join lateral (
      select case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as grantee_name) g
   where n.oid = $1::regnamespace and grantee <> nspowner`;

const analyses = `
  select format('analyze %I.%I', $2::text, relname) as ddl
    from pg_class where relnamespace = $1::regnamespace and relkind = 'r' order by relname`;

/** Indexes by which projections look rows up while they fill a set. */
const lookups = ['applications_applicant_recipient_idx', 'group_members_uid_idx', 'messages_event_id_idx'];

/**
 * Makes the tables of a set of read models in a new schema, empty, like those of the current set: with keys and
 * settings, and with those indexes alone that filling them needs.
 * @param durable whether the set is there after a crash; one that is not is filled with less work of the disk
 */
export async function makeEmptySet(client: Client, schema: string, durable = true): Promise<void> {
  await client.query(`create schema ${client.escapeIdentifier(schema)}`);
  await runAtOnce(client, tables, [currentSchema, schema, durable ? '' : 'unlogged']);
  await runAtOnce(client, keys, [currentSchema, schema]);
  await runAtOnce(client, indexes, [currentSchema, schema, lookups, false]);
}

/** Allows others what they may do with the current set. */
export function grantAsBefore(client: Client, schema: string): Promise<void> {
  return run(client, grants, [currentSchema, schema]);
}

/** Adds the indexes that `makeEmptySet` left out, and counts the rows for the planner. Nothing may write meanwhile. */
export async function completeSet(client: Client, schema: string): Promise<void> {
  await run(client, indexes, [currentSchema, schema, [], true]);
  await run(client, analyses, [currentSchema, schema]);
}

async function run(client: Client, query: string, values: readonly unknown[]): Promise<void> {
  for (const ddl of await made(client, query, values)) await client.query(ddl);
}

/** Runs what takes no time on empty tables in one round trip and one transaction. */
async function runAtOnce(client: Client, query: string, values: readonly unknown[]): Promise<void> {
  const statements = await made(client, query, values);
  if (statements.length > 0) await client.query(statements.join(';\n'));
}

async function made(client: Client, query: string, values: readonly unknown[]): Promise<string[]> {
  const { rows } = await client.query<Made>(query, [...values]);
  return rows.map(({ ddl }) => ddl);
}
