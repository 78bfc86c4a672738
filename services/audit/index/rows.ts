import type { EventId, Position, StreamName } from '../../log/log.ts';
import { int8s, type Statement, texts, uuids } from '../../postgres/pipeline.ts';
import { auditedType } from '../tree/audited-type.ts';
import type { NumberedRecord } from './consumer.ts';
import type { Entry } from './entry.ts';

/** A record with by what it is found. */
export interface IndexedRecord extends NumberedRecord {
  readonly entry: Entry;
}

/** A row of audit.events, by its columns. */
export interface IndexRow {
  readonly number: number;
  readonly recorded: number;
  readonly revision: number;
  readonly acted_for: number | null;
  readonly mid: number | null;
  readonly id: EventId;
  readonly position: Position;
  readonly stream: StreamName;
  readonly type: string;
  readonly actor: string | null;
  readonly correlation: string | null;
  readonly causation: string | null;
  readonly conversation: string | null;
}

/** The row of an event. */
export function indexRowOf({ number, record, entry }: IndexedRecord): IndexRow {
  const { recorded, revision, id, position, stream, type } = record;
  const { actedFor, mid, actor, correlation, causation, conversation } = entry;
  return {
    ...{
      number,
      recorded,
      revision,
      acted_for: actedFor,
      mid,
      id,
      position,
      stream,
      type: auditedType(type),
      actor,
      correlation,
    },
    causation: causation === correlation ? null : causation,
    conversation,
  };
}

/** Adds events to audit.events. */
export function insertEvents(events: readonly IndexedRecord[]): Statement[] {
  const rows = events.map(indexRowOf);
  return [
    {
      name: 'audit events',
      text: `insert into audit.events (number, recorded, revision, acted_for, mid, id, position, stream, type, actor,
          correlation, causation, conversation)
        select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::uuid[],
          $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])`,
      values: [
        int8s(rows.map(({ number }) => number)),
        int8s(rows.map(({ recorded }) => recorded)),
        int8s(rows.map(({ revision }) => revision)),
        int8s(rows.map(({ acted_for }) => acted_for)),
        int8s(rows.map(({ mid }) => mid)),
        uuids(rows.map(({ id }) => id)),
        texts(rows.map(({ position }) => position)),
        texts(rows.map(({ stream }) => stream)),
        texts(rows.map(({ type }) => type)),
        texts(rows.map(({ actor }) => actor)),
        texts(rows.map(({ correlation }) => correlation)),
        texts(rows.map(({ causation }) => causation)),
        texts(rows.map(({ conversation }) => conversation)),
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
