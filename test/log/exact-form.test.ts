import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EventMetadata } from '../../contracts/events/event.ts';
import { eventDefinitions } from '../../contracts/events/index.ts';
import { isExact } from '../../services/log/exact-form.ts';

const Fixture = z.object({ examples: z.array(z.record(z.string(), z.unknown())) });

/** The examples of a fixture. */
function examplesAt(path: string): Readonly<Record<string, unknown>>[] {
  const url = new URL(`../events/${path}`, import.meta.url);
  return Fixture.parse(JSON.parse(readFileSync(url, 'utf8'))).examples;
}

const metadataFiles = readdirSync(new URL('../events/metadata/', import.meta.url)).sort();

/** The schema of the data of each type, and of metadata, with examples. */
const schemas = [
  ...eventDefinitions.map(({ type, data, version }) => ({
    name: type,
    schema: data,
    examples: examplesAt(`fixtures/${type}.${version}.json`),
  })),
  {
    name: 'the metadata',
    schema: EventMetadata,
    examples: metadataFiles.flatMap((file) => examplesAt(`metadata/${file}`)),
  },
];

/** Values that some member may not have, or that a schema changes. */
const oddValues = [
  ...[undefined, null, true, 0, -1, 1.5, 2 ** 53, -0, '', 'f1-2', 'g7', 'f1-2\n', '1', 'all', 'self'],
  ...[[], {}, [1], [0], ['all'], [undefined], [{}], { a: 1 }],
];

/** An example with something else in it, at each place. */
function* changed(example: Readonly<Record<string, unknown>>): Generator<unknown> {
  yield* [undefined, null, 1, 'text', [], [example]];
  yield { ...example, unknown: 1 };
  yield Object.fromEntries(Object.entries(example).reverse());
  for (const key of Object.keys(example)) {
    const { [key]: _, ...rest } = example;
    yield rest;
    for (const value of oddValues) yield { ...example, [key]: value };
  }
}

describe('the exact form of an event', () => {
  it.each(schemas)('$name is what its schema would return as it is', ({ name, schema, examples }) => {
    let exact = 0;
    for (const example of examples) {
      for (const value of [example, ...changed(example)]) {
        if (!isExact<unknown>(schema, value)) continue;
        exact++;
        expect(schema.safeParse(value)).toEqual({ success: true, data: value });
        expect(Object.keys(schema.parse(value)).sort()).toEqual(Object.keys(Object(value)).sort());
      }
    }
    if (name !== 'SettingsChanged') expect(exact).toBeGreaterThan(0);
  });

  it('has every example that our own events have', () => {
    const unread = schemas.flatMap(({ name, schema, examples }) =>
      examples.every((example) => isExact<unknown>(schema, example)) ? [] : [name],
    );
    // Its members have names of their own.
    expect(unread).toEqual(['SettingsChanged']);
  });

  it('is no form of a schema that changes what it parses, or that asks for more than is known of it', () => {
    const changing = [
      z.object({ a: z.string().trim() }),
      z.object({ a: z.string().default('b') }),
      z.object({ a: z.coerce.number() }),
      z.object({ a: z.string().transform((text) => text.length) }),
      z.object({ a: z.string().refine((text) => text === 'b') }),
      z.object({ a: z.string().max(0) }),
      z.object({ a: z.string().regex(/b/g) }),
      z.object({ a: z.string() }).refine(() => false),
      z.looseObject({ a: z.string() }),
      z.strictObject({ a: z.string() }),
      z.object({ a: z.array(z.string()).max(0) }),
      z.object({ a: z.string().nullable().catch('') }),
    ];
    for (const value of [{ a: 'a' }, { a: 1 }, { a: ['a'] }]) {
      expect(changing.filter((schema) => isExact<unknown>(schema, value))).toEqual([]);
    }
  });
});
