import type { Client } from 'pg';
import { currentSchema, nextSchema } from './sets.ts';

interface Made {
  readonly ddl: string;
}

/** The tables, with their columns and settings, without indexes. */
const tables = `
  select format('create table ${nextSchema}.%I (like %s including all excluding indexes)%s', relname, c.oid::regclass,
                ' with (' || array_to_string(reloptions, ', ') || ')') as ddl
    from pg_class c where relnamespace = $1::regnamespace and relkind = 'r' order by relname`;

const keys = `
  select format('alter table ${nextSchema}.%I add constraint %I %s', relname, conname, pg_get_constraintdef(k.oid)) as ddl
    from pg_constraint k join pg_class c on c.oid = conrelid
   where connamespace = $1::regnamespace and contype in ('p', 'u') order by relname, conname`;

/** Indexes that are no constraint's and that the next set lacks. Those that are not unique slow the filling down. */
const indexes = `
  select replace(pg_get_indexdef(i.indexrelid), ' ON ${currentSchema}.', ' ON ${nextSchema}.') as ddl
    from pg_index i join pg_class c on c.oid = i.indexrelid
   where c.relnamespace = $1::regnamespace
     and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
     and to_regclass(format('${nextSchema}.%I', c.relname)) is null
     and (i.indisunique or c.relname = any ($2) or $3)
   order by c.relname`;

/** What others than the owner may do with the tables, which operators may have granted. */
const grants = `
  select format('grant %s on ${nextSchema}.%I to %s', privilege_type, relname, grantee_name) as ddl
    from pg_class c cross join aclexplode(relacl) a
    cross join lateral (
      select case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as grantee_name) g
   where relnamespace = $1::regnamespace and relkind = 'r' and grantee <> relowner
  union all
  select format('grant %s on schema ${nextSchema} to %s', privilege_type, grantee_name)
    from pg_namespace n cross join aclexplode(nspacl) a
    cross join lateral (
      select case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as grantee_name) g
   where n.oid = $1::regnamespace and grantee <> nspowner`;

/** Indexes by which projections look rows up while they fill a set. */
const lookups = ['applications_applicant_recipient_idx', 'group_members_uid_idx', 'messages_event_id_idx'];

/** Makes an empty set of read models like the current one, in the transaction under way. */
export async function makeEmptySet(client: Client): Promise<void> {
  await client.query(`drop schema if exists ${nextSchema} cascade; create schema ${nextSchema}`);
  await run(client, tables, [currentSchema]);
  await run(client, keys, [currentSchema]);
  await run(client, indexes, [currentSchema, lookups, false]);
  await run(client, grants, [currentSchema]);
}

/** Adds the indexes that `makeEmptySet` left out, and counts the rows for the planner. Nothing may write meanwhile. */
export async function completeSet(client: Client): Promise<void> {
  await run(client, indexes, [currentSchema, [], true]);
  const { rows } = await client.query<Made>(
    `select format('analyze %s', oid::regclass) as ddl from pg_class
      where relnamespace = $1::regnamespace and relkind = 'r'`,
    [nextSchema],
  );
  for (const { ddl } of rows) await client.query(ddl);
}

async function run(client: Client, query: string, values: readonly unknown[]): Promise<void> {
  const { rows } = await client.query<Made>(query, [...values]);
  for (const { ddl } of rows) await client.query(ddl);
}
