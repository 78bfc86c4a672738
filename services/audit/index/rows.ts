import { int8s, type Statement, texts, uuids } from '../../postgres/pipeline.ts';
import type { NumberedRecord } from './consumer.ts';
import type { Entry } from './entry.ts';

/** A record with by what it is found. */
export interface IndexedRecord extends NumberedRecord {
  readonly entry: Entry;
}

/** Adds events to audit.events. */
export function insertEvents(events: readonly IndexedRecord[]): Statement[] {
  const records = events.map(({ record }) => record);
  const entries = events.map(({ entry }) => entry);
  return [
    {
      name: 'audit events',
      text: `insert into audit.events (number, recorded, revision, acted_for, mid, id, position, stream, type, actor,
          correlation, causation, conversation)
        select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::uuid[],
          $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])`,
      values: [
        int8s(events.map(({ number }) => number)),
        int8s(records.map(({ recorded }) => recorded)),
        int8s(records.map(({ revision }) => revision)),
        int8s(entries.map(({ actedFor }) => actedFor)),
        int8s(entries.map(({ mid }) => mid)),
        uuids(records.map(({ id }) => id)),
        texts(records.map(({ position }) => position)),
        texts(records.map(({ stream }) => stream)),
        texts(records.map(({ type }) => type)),
        texts(entries.map(({ actor }) => actor)),
        texts(entries.map(({ correlation }) => correlation)),
        texts(entries.map(({ causation, correlation }) => (causation === correlation ? null : causation))),
        texts(entries.map(({ conversation }) => conversation)),
      ],
    },
  ];
}

/** Adds the people whom events are about to audit.people. */
export function insertPeople(events: readonly IndexedRecord[]): Statement[] {
  const pairs = events.flatMap(({ number, entry }) => entry.people.map((uid) => ({ uid, number })));
  if (pairs.length === 0) return [];
  return [
    {
      name: 'audit people',
      text: 'insert into audit.people (uid, number) select * from unnest($1::bigint[], $2::bigint[])',
      values: [int8s(pairs.map(({ uid }) => uid)), int8s(pairs.map(({ number }) => number))],
    },
  ];
}

export interface TypeInCategory {
  readonly category: string;
  readonly type: string;
}

/** Adds what may be new to audit.types. */
export function insertTypes(types: readonly TypeInCategory[]): Statement {
  return {
    name: 'audit types',
    text: `insert into audit.types (category, type) select * from unnest($1::text[], $2::text[])
           on conflict do nothing`,
    values: [texts(types.map(({ category }) => category)), texts(types.map(({ type }) => type))],
  };
}
