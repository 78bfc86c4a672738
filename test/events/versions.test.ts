import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type EventDefinition, EventMetadata, event, lift } from '../../contracts/events/event.ts';
import { eventDefinitions } from '../../contracts/events/index.ts';
import { decode } from '../../services/log/codec.ts';
import type { Position, RecordedEvent } from '../../services/log/log.ts';
import { freshId, streamOf } from '../log/specimens.ts';
import { recordedAs } from '../support/recorded.ts';

/*
 * Events stay in the log for ever. `fixtures/{type}.{version}.json` holds, for each version that was ever
 * written, the JSON schema of its data and examples of them. These files are never changed. A change
 * of an event's schema needs an upcast in its definition, which makes its version one greater, and the fixture
 * of that version, with the old examples as the upcast lifts them among its own.
 */

const folder = new URL('./fixtures/', import.meta.url);

const Data = z.record(z.string(), z.unknown());
const Fixture = z.object({
  schema: z.object({ properties: Data, required: z.array(z.string()) }).loose(),
  examples: z.array(Data).min(1),
});

function fixture(type: string, version: number): z.infer<typeof Fixture> {
  return fixtureAt(new URL(`${type}.${version}.json`, folder));
}

function fixtureAt(place: URL): z.infer<typeof Fixture> {
  return Fixture.parse(JSON.parse(readFileSync(place, 'utf8')));
}

/** An event as a log gives it. */
function recorded(type: string, version: number, data: RecordedEvent['data']): RecordedEvent {
  const metadata = { time: 1_700_000_000_000, actor: '9', version, $correlationId: 'c', $causationId: 'c' };
  const place = { stream: streamOf('any'), revision: 0, position: '0000000000000001' as Position };
  return recordedAs({ id: freshId(), type, data, metadata }, { ...place, recorded: 1_700_000_000_000 });
}

/** The JSON schema of an event's data. Fails for a check that it cannot show, and whose change would pass unseen. */
function schemaOf({ data }: Pick<EventDefinition, 'data'>) {
  const { $schema: _, ...schema } = z.toJSONSchema(data, {
    override: ({ zodSchema }) => {
      const checks = zodSchema._zod.def.checks ?? [];
      expect(checks.map((check) => check._zod.def.check)).not.toContain('custom');
    },
  });
  return schema;
}

const versionsOf = (version: number) => Array.from({ length: version }, (_, index) => index + 1);

describe('the fixtures of events', () => {
  it('are one for each type and version', () => {
    const expected = eventDefinitions.flatMap(({ type, version }) =>
      versionsOf(version).map((one) => `${type}.${one}.json`),
    );
    expect(readdirSync(folder).sort()).toEqual(expected.sort());
  });
});

describe.each(eventDefinitions.map((definition) => [definition.type, definition] as const))(
  '%s',
  (type, definition) => {
    const { version } = definition;

    it('has the schema under which its version was first written', () => {
      expect(schemaOf(definition)).toEqual(fixture(type, version).schema);
    });

    it('has examples of each property, and of its absence if it is optional', () => {
      const { schema, examples } = fixture(type, version);
      for (const property of Object.keys(schema.properties)) {
        expect(examples.some((example) => property in example)).toBe(true);
        if (schema.required.includes(property)) continue;
        expect(examples.some((example) => !(property in example))).toBe(true);
      }
    });

    it('reads what each of its versions wrote', () => {
      for (const written of versionsOf(version)) {
        const { examples } = fixture(type, written);
        const lifted = examples.map((example) => lift(definition, written, example));
        expect(examples.map((example) => decode(recorded(type, written, example)).data)).toEqual(lifted);
        expect(fixture(type, version).examples).toEqual(expect.arrayContaining(lifted));
      }
    });
  },
);

/* Metadata have no version of their own: fields are added, and those of older events lack them. */
describe('the metadata of events', () => {
  const metadataFolder = new URL('./metadata/', import.meta.url);
  const fixtures = readdirSync(metadataFolder)
    .sort()
    .map((file) => fixtureAt(new URL(file, metadataFolder)));

  it('have the schema of the newest fixture', () => {
    expect(schemaOf({ data: EventMetadata })).toEqual(fixtures.at(-1)?.schema);
  });

  it('are read as they were written, at any time', () => {
    for (const { examples } of fixtures) {
      for (const metadata of examples) expect(EventMetadata.parse(metadata)).toEqual(metadata);
    }
  });
});

describe('a definition', () => {
  const three = event('Renamed', z.object({ name: z.string(), by: z.int() }), [
    ({ title, ...rest }) => ({ ...rest, name: title }),
    (data) => ({ ...data, by: 0 }),
  ]);

  it('writes the version after its last upcast', () => {
    expect(three.version).toBe(3);
    expect(event('Named', z.object({})).version).toBe(1);
  });

  it('lifts older data step by step, and present data not at all', () => {
    expect(lift(three, 1, { title: 'a' })).toEqual({ name: 'a', by: 0 });
    expect(lift(three, 2, { name: 'b' })).toEqual({ name: 'b', by: 0 });
    expect(lift(three, 3, { name: 'c', by: 7 })).toEqual({ name: 'c', by: 7 });
  });
});
