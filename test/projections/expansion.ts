/** What a migration does that programs of an earlier version may not survive, by the listing of its changes. */
export interface Restrictions {
  /** What it removes, renames or changes, and what it demands of rows that earlier programs write. */
  readonly restricts: readonly string[];
  /** Indexes of existing tables: while a transaction makes them, nothing can write to the table. */
  readonly locks: readonly string[];
}

/** @param listing what `schema.test.ts` writes of a migration: `- ` and `+ ` entries of the catalogue */
export function restrictionsOf(listing: string): Restrictions {
  const entriesOf = (sign: '- ' | '+ ') =>
    listing.split('\n').flatMap((line) => (line.startsWith(sign) ? line.slice(2) : []));
  const [gone, added] = [entriesOf('- '), entriesOf('+ ')];
  const made = new Set(added.flatMap((entry) => /^(?:unlogged )?table (\S+)/.exec(entry)?.[1] ?? []));
  const ofOlder = (table: string | undefined) => table !== undefined && !made.has(table);
  const restricts = [
    // A function with the same parameters and results replaces the earlier one.
    ...gone.filter((entry) => !(entry.startsWith('function ') && added.includes(entry))),
    ...added.filter((entry) => {
      const [, column, rest = ''] = /^column (\S+)\.[^.\s]+ (.*)$/.exec(entry) ?? [];
      const demanded = / not null(?!.* (?:default|generated) )/.test(` ${rest}`);
      const [, constrained] = /^constraint (\S+)\.[^.\s]+ /.exec(entry) ?? [];
      const [, unique] = /^index UNIQUE .* ON (\S+) /.exec(entry) ?? [];
      return (ofOlder(column) && demanded) || ofOlder(constrained) || ofOlder(unique);
    }),
  ];
  const locks = added.filter((entry) => ofOlder(/^index INDEX .* ON (\S+) /.exec(entry)?.[1]));
  return { restricts, locks };
}
