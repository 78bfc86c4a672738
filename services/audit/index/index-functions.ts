import type { Client } from 'pg';
import { readMigrations } from '../../../projections/migrations.ts';

/** A function of the schema `audit`, by which times and positions are found, that is not what the migrations made. */
export interface ChangedFunction {
  /** Its name with the types of its parameters, as SQL names it. */
  readonly name: string;
  readonly fault: 'changed' | 'missing' | 'too many';
}

interface StoredFunction {
  readonly name: string;
  /** Null for an aggregate, which has no definition in SQL. */
  readonly definition: string | null;
}

/** A function as the migrations define it, each from `create function` up to the end of its body. */
const definitions = /^create (?:or replace )?function (audit\.\w+)\(.*?as \$\$.*?\$\$/gms;

/**
 * Which functions of the schema are not as the last migration that defines them did. Who replaces one by hand, or adds
 * one of the same name, changes what every search by time or position finds.
 * @throws what `pg` throws
 */
export async function changedFunctions(client: Pick<Client, 'query'>): Promise<ChangedFunction[]> {
  const wanted = await wantedFunctions();
  const stored = await storedFunctions(client);
  const unknown = stored.filter(({ name }) => !wanted.has(nameAlone(name)));
  const known = [...wanted].flatMap(([wantedName, sql]) => {
    const ofName = stored.filter(({ name }) => nameAlone(name) === wantedName);
    const same = ofName.find(({ definition }) => definition !== null && isSame(definition, sql));
    if (same) return ofName.filter((one) => one !== same).map(surplus);
    const [first, ...more] = ofName;
    if (!first) return [{ name: wantedName, fault: 'missing' } as const];
    return [{ name: first.name, fault: 'changed' } as const, ...more.map(surplus)];
  });
  return [...known, ...unknown.map(surplus)];
}

/**
 * Makes them as the migrations do, in the transaction under way, and drops those that no migration makes.
 * @throws what `pg` throws, also if something that was added by hand uses one of them
 */
export async function mendFunctions(client: Pick<Client, 'query'>): Promise<void> {
  const wanted = await wantedFunctions();
  const changed = await changedFunctions(client);
  for (const { name, fault } of changed) if (fault !== 'missing') await client.query(`drop routine ${name}`);
  for (const { name, fault } of changed)
    if (fault !== 'too many') await client.query(wanted.get(nameAlone(name)) ?? '');
}

/** What makes each function, by its name. */
async function wantedFunctions(): Promise<Map<string, string>> {
  const migrations = await readMigrations();
  const found = migrations.flatMap(({ sql }) => [...sql.matchAll(definitions)]);
  return new Map(found.map(([sql, name = '']) => [name, sql]));
}

async function storedFunctions(client: Pick<Client, 'query'>): Promise<StoredFunction[]> {
  const { rows } = await client.query<StoredFunction>(
    `select format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)) as name,
       case when prokind <> 'a' then pg_get_functiondef(p.oid) end as definition
     from pg_proc p join pg_namespace n on n.oid = pronamespace
     where nspname = 'audit' order by 1`,
  );
  return rows;
}

/** Whether Postgres' definition of a function is what a migration says: the body to the letter. */
function isSame(definition: string, sql: string): boolean {
  const [is, wanted] = [definition.replaceAll('$function$', '$$$$'), sql].map(partsOf);
  return is?.head === wanted?.head && is?.body === wanted?.body && is?.rest === wanted?.rest;
}

function partsOf(sql: string): { head: string; body: string; rest: string } {
  const [head = '', body = '', ...rest] = sql.split('$$');
  const words = head.toLowerCase().replace('create or replace', 'create').split(/\s+/);
  return { head: words.join(' ').trim(), body, rest: rest.join('$$').trim() };
}

const nameAlone = (name: string) => name.slice(0, name.includes('(') ? name.indexOf('(') : undefined);

const surplus = ({ name }: StoredFunction): ChangedFunction => ({ name, fault: 'too many' });
