import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { readMigrations } from '../../projections/migrations.ts';
import { restrictionsOf } from './expansion.ts';

/** Earlier migrations are of versions that are started once all programs of the version before were stopped. */
const firstBesidePrograms = '0036';

const migrations = await readMigrations();
const later = migrations.filter(({ name }) => name >= firstBesidePrograms);

/** What of a listing is refused. */
const refused = (...lines: string[]) => restrictionsOf(['statements 0', ...lines].join('\n')).restricts;

describe('a migration that programs of the version before run beside', () => {
  test.each(later.map((migration) => [migration.name, migration] as const))(
    '%s only adds, or names the earlier migration since which programs do not use what it removes',
    async (name, { concurrent, unusedSince }) => {
      const listing = await readFile(new URL(`schema/${name}.txt`, import.meta.url), 'utf8');
      const { locks, restricts } = restrictionsOf(listing);
      const earlier = migrations.filter((one) => one.name < name).map(({ recordedAs }) => recordedAs);
      if (restricts.length > 0) expect(earlier, restricts.join('\n')).toContain(unusedSince);
      expect(concurrent ? [] : locks).toEqual([]);
    },
  );

  test.each([
    ['drops a table', ['- table read.old', '- column read.old.id bigint not null']],
    ['renames a column', ['- column read.t.old text', '+ column read.t.new text']],
    ['changes a type', ['- column read.t.id integer', '+ column read.t.id bigint']],
    ['demands a value', ['- column read.t.id bigint', '+ column read.t.id bigint not null']],
    ['adds a column without a default', ['+ column read.t.more text collate C not null']],
    ['adds a check', ['+ constraint read.t.t_check CHECK ((id > 0))']],
    ['makes values unique', ['+ index UNIQUE INDEX t_name ON read.t USING btree (name)']],
    ['drops an index', ['- index INDEX t_name ON read.t USING btree (name)']],
    [
      'gives a function other results',
      [
        '- function log.f(text) returns void language sql',
        '+ function log.f(text) returns bigint language sql',
      ],
    ],
  ])('is refused if it %s', (_what, lines) => {
    expect(refused(...lines)).not.toEqual([]);
  });

  test.each([
    ['a column with a default', ["+ column read.t.more text not null default ''::text"]],
    ['a column that may be null', ['+ column read.t.more text collate C']],
    ['an identity', ['+ column read.t.number bigint not null generated always as identity']],
    [
      'a table with all that belongs to it',
      [
        '+ table read.more',
        '+ column read.more.id bigint not null',
        '+ constraint read.more.more_pkey PRIMARY KEY (id)',
        '+ index UNIQUE INDEX more_pkey ON read.more USING btree (id)',
      ],
    ],
    [
      'another body of a function',
      [
        '- function log.f(text) returns void language sql',
        '    select 1',
        '+ function log.f(text) returns void language sql',
        '    select 2',
      ],
    ],
  ])('may add %s', (_what, lines) => {
    expect(refused(...lines)).toEqual([]);
  });

  test('makes the index of a table that was there beside those who write', () => {
    const index = '+ index INDEX t_name ON read.t USING btree (name)';
    expect(restrictionsOf(index).locks).toHaveLength(1);
    expect(restrictionsOf(`+ table read.t\n${index}`).locks).toEqual([]);
  });
});
