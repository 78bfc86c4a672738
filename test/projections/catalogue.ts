import type pg from 'pg';

/** Postgres' own schemas, and public, in which only the record of migrations is. */
const ours = (schema: string) => `${schema} !~ '^pg_' and ${schema} not in ('information_schema', 'public')`;

/** What each kind of object is listed as, in this order. */
const listings = [
  `select 'schema ' || nspname from pg_namespace where ${ours('nspname')} order by 1`,

  `select 'sequence ' || schemaname || '.' || sequencename || ' ' || data_type
     from pg_sequences where ${ours('schemaname')} order by 1`,

  `select case relpersistence when 'u' then 'unlogged ' else '' end || 'table ' || c.oid::regclass
            || coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '')
     from pg_class c join pg_namespace n on n.oid = relnamespace
    where relkind = 'r' and ${ours('nspname')} order by 1`,

  `select 'column ' || c.oid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod)
            || case when collname <> 'default' then ' collate ' || collname else '' end
            || case when attnotnull then ' not null' else '' end
            || case attidentity when '' then '' else ' generated always as identity' end
            || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
     from pg_class c join pg_namespace n on n.oid = relnamespace
     join pg_attribute a on attrelid = c.oid and attnum > 0 and not attisdropped
     left join pg_attrdef d on adrelid = c.oid and adnum = attnum
     left join pg_collation o on o.oid = attcollation
    where relkind = 'r' and ${ours('nspname')} order by c.oid::regclass::text, attnum`,

  // Not-null constraints are in the list of columns.
  `select 'constraint ' || conrelid::regclass || '.' || conname || ' ' || pg_get_constraintdef(k.oid)
     from pg_constraint k join pg_namespace n on n.oid = connamespace
    where contype <> 'n' and ${ours('nspname')} order by 1`,

  `select 'index ' || substr(pg_get_indexdef(indexrelid), length('create ') + 1)
     from pg_index join pg_class c on c.oid = indexrelid join pg_namespace n on n.oid = relnamespace
    where ${ours('nspname')} order by 1`,

  `select 'function ' || p.oid::regprocedure || ' returns ' || pg_get_function_result(p.oid)
            || ' language ' || lanname || coalesce(' set ' || array_to_string(proconfig, ', '), '')
            || E'\\n' || prosrc
     from pg_proc p join pg_namespace n on n.oid = pronamespace join pg_language l on l.oid = prolang
    where ${ours('nspname')} order by 1`,
];

/** Every schema, sequence, table, column, constraint, index and function that is ours, each as one text. */
export async function listCatalogue(client: pg.Client): Promise<string[]> {
  const entries: string[] = [];
  for (const listing of listings) {
    const { rows } = await client.query<[string]>({ text: listing, rowMode: 'array' });
    entries.push(...rows.map(([entry]) => tidy(entry)));
  }
  return entries;
}

/** Without comments and empty lines, later lines indented. */
function tidy(entry: string): string {
  const [first = '', ...lines] = entry.split('\n').map((line) => line.replace(/--.*/, '').trimEnd());
  return [first, ...lines.filter((line) => line !== '').map((line) => `    ${line.trim()}`)].join('\n');
}
