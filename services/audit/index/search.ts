import type { QueryResultRow } from 'pg';
import { fitOf, type ReadModelsMark } from '../../log/fit.ts';
import { StrangeLog } from '../../log/identity.ts';
import { type EventId, type EventLog, type Position, type StreamName, startOfLog } from '../../log/log.ts';
import type { EventFilter } from '../events/filter.ts';
import type { FalseRepeat } from './repeats.ts';
import { storedRepeats } from './stored-repeats.ts';

/** What runs a query: a pool or a client. */
export interface Queries {
  /** @returns the rows, and how many a statement returned or changed */
  query<Row extends QueryResultRow>(
    text: string,
    values: unknown[],
  ): Promise<{ readonly rows: Row[]; readonly rowCount: number | null }>;
}

/** Where an event lies, as the index has it. */
export interface Found {
  readonly number: number;
  readonly position: Position;
  readonly stream: StreamName;
  readonly revision: number;
  readonly id: EventId;
}

/** Numbers from `low` on, itself included, up to `high`, itself excluded. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** How far the index reaches. */
export interface Coverage {
  /** The events up to here are in the index. */
  readonly checkpoint: Position;
  /** How many these are. */
  readonly count: number;
}

/** The index of a log, and what asks it. */
export interface IndexOfLog {
  readonly queries: Queries;
  readonly coverage: Coverage;
}

/** Combinations of streams and types are searched one by one up to this number, each in the order of its own index. */
const maxCombinations = 64;

/** Finds events in the index of the log. */
export class AuditSearch {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /**
   * How far the index reaches; undefined if there is none of this log: it never was made, or the log is another.
   * @throws LogFailure, what the database throws
   */
  async coverage(log: EventLog): Promise<Coverage | undefined> {
    const { rows } = await this.#queries.query<ReadModelsMark & { count: string }>(
      `select position, event_id as "eventId", installation, epoch,
         (select coalesce(max(number) + 1, 0) from audit.events) as count
       from followers.checkpoint where name = 'audit'`,
      [],
    );
    const [mark] = rows;
    if (mark === undefined || mark.installation === null) return undefined;
    try {
      if ((await fitOf(log, mark)) === 'went back') return undefined;
    } catch (error) {
      if (error instanceof StrangeLog) return undefined;
      throw error;
    }
    return { checkpoint: mark.position, count: Number(mark.count) };
  }

  /**
   * The numbers of the events within the bounds of time and position that a filter gives. Where the clock of the log was set
   * back, there may be events of other times between them.
   */
  async range(
    { after, since, until, upTo }: EventFilter,
    { recordedAscends }: Pick<EventLog, 'recordedAscends'>,
  ): Promise<Range> {
    const parameters: unknown[] = [];
    const given = (value: unknown, sql: (parameter: string) => string) =>
      value === undefined ? [] : [sql(`$${parameters.push(value)}`)];
    const afterPosition = (parameter: string) => `audit.first_after(${parameter})`;
    const firstSince = firstRecordedSince({ recordedAscends });
    const afterLastBefore = recordedAscends ? firstSince : afterLastRecordedBefore;
    const low = ['0', ...given(after, afterPosition), ...given(since, firstSince)];
    const high = [endOfIndex, ...given(upTo, afterPosition), ...given(until, afterLastBefore)];
    const { rows } = await this.#queries.query<{ low: string; high: string }>(
      `select greatest(${low.join(', ')}) as low, least(${high.join(', ')}) as high`,
      parameters,
    );
    return { low: Number(rows[0]?.low ?? 0), high: Number(rows[0]?.high ?? 0) };
  }

  /** The first events of a range that a filter asks for, or the last ones, with the last first. */
  async page(
    filter: EventFilter,
    { low, high }: Range,
    { limit, reverse }: { readonly limit: number; readonly reverse: boolean },
  ): Promise<Found[]> {
    const parameters: unknown[] = [low, high, limit];
    const parameter = (value: unknown) => `$${parameters.push(value)}`;
    const types = await this.#typesOf(filter);
    if (types?.names.length === 0) return [];
    const conditions = [
      ...rowConditions(types?.elsewhere ? filter : { ...filter, categories: undefined }, parameter),
    ];
    const combinations = combine([
      streamConditions(filter, parameter),
      [...new Set(types?.names)].map((type) => `e.type = ${parameter(type)}`),
      actorConditions(filter, parameter),
      causeConditions(filter, parameter),
    ]);
    const people = filter.about === undefined ? undefined : parameter(filter.about);
    const number = people === undefined ? 'e.number' : 'p.number';
    const order = `order by ${number} ${reverse ? 'desc' : 'asc'} limit $3`;
    const from =
      people === undefined ? 'audit.events e' : 'audit.people p join audit.events e on e.number = p.number';
    const selects = combinations.map((combination) => {
      const all = [
        `${number} >= $1 and ${number} < $2`,
        ...(people === undefined ? [] : [`p.uid = ${people}`]),
        ...conditions,
        ...combination,
      ];
      return `(select ${columns} from ${from} where ${all.join(' and ')} ${order})`;
    });
    const text =
      selects.length === 1
        ? (selects[0] ?? '')
        : `select * from (${selects.join(' union all ')}) e ${order.replace(number, 'e.number')}`;
    const { rows } = await this.#queries.query<FoundRow>(text, parameters);
    return rows.map((row) => ({ ...row, number: Number(row.number), revision: Number(row.revision) }));
  }

  /** The first hundred events that the index does not have, since they have the ids of others (`storedRepeats`). */
  repeats(): Promise<FalseRepeat[]> {
    return storedRepeats(this.#queries);
  }

  /** The position of the event before a number; the start of the log before the first one. */
  async positionBefore(number: number): Promise<Position> {
    const { rows } = await this.#queries.query<{ position: Position }>(
      'select position from audit.events where number = $1',
      [number - 1],
    );
    return rows[0]?.position ?? startOfLog;
  }

  /**
   * The types of a filter, narrowed to those that its categories have; undefined for all. `elsewhere`: some of them
   * are in other categories too.
   */
  async #typesOf({ categories, types }: EventFilter): Promise<TypesOfFilter | undefined> {
    if (categories === undefined) return types && { names: types, elsewhere: false };
    const { rows } = await this.#queries.query<{ type: string; elsewhere: boolean }>(
      `select type, not bool_and(category = any($1)) as elsewhere from audit.types
        group by type having bool_or(category = any($1))`,
      [categories],
    );
    const asked = types === undefined ? rows : rows.filter(({ type }) => types.includes(type));
    return { names: asked.map(({ type }) => type), elsewhere: asked.some(({ elsewhere }) => elsewhere) };
  }
}

interface TypesOfFilter {
  readonly names: readonly string[];
  readonly elsewhere: boolean;
}

type FoundRow = Omit<Found, 'number' | 'revision'> & { readonly number: string; readonly revision: string };

const endOfIndex = '(select coalesce(max(number) + 1, 0) from audit.events)';

/**
 * SQL: the number of the first event of the index that was recorded at a time or later; one more than the last one if none
 * was. Bisection would miss events if times do not ascend.
 */
export function firstRecordedSince({ recordedAscends }: Pick<EventLog, 'recordedAscends'>) {
  return (time: string) =>
    recordedAscends
      ? `audit.first_recorded(${time})`
      : `coalesce((select min(number) from audit.events where recorded >= ${time}), ${endOfIndex})`;
}

const afterLastRecordedBefore = (time: string) =>
  `coalesce((select max(number) + 1 from audit.events where recorded < ${time}), 0)`;

const columns = 'e.number, e.position, e.stream, e.revision, e.id';

type Parameter = (value: unknown) => string;

function* rowConditions(filter: EventFilter, parameter: Parameter): Generator<string> {
  const { conversation, mid, correlation, categories, since, until } = filter;
  if (since !== undefined) yield `e.recorded >= ${parameter(since)}`;
  if (until !== undefined) yield `e.recorded < ${parameter(until)}`;
  if (conversation !== undefined) yield `e.conversation = ${parameter(conversation)}`;
  if (mid !== undefined) yield `e.mid = ${parameter(mid)}`;
  if (correlation !== undefined) yield `e.correlation = ${parameter(correlation)}`;
  if (categories !== undefined) yield `split_part(e.stream, '-', 1) = any(${parameter(categories)})`;
}

/** One condition for each stream or beginning of names; no event satisfies two of them. */
function streamConditions({ streams = [] }: EventFilter, parameter: Parameter): string[] {
  const beginnings = streams.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  const covered = (name: string) => beginnings.some((one) => one !== name && name.startsWith(one));
  const wide = [...new Set(beginnings)].filter((beginning) => !covered(beginning));
  const whole = [...new Set(streams)].filter(
    (name) => !name.endsWith('*') && !beginnings.some((one) => name.startsWith(one)),
  );
  return [
    ...whole.map((stream) => `e.stream = ${parameter(stream)}`),
    ...wide.map((beginning) => `starts_with(e.stream, ${parameter(beginning)})`),
  ];
}

/** What a person caused: themselves, or by the server's key that acted for them. */
function actorConditions({ by }: EventFilter, parameter: Parameter): string[] {
  if (by === undefined) return [];
  const actor = `e.actor = ${parameter(by)}`;
  if (by === 'server' || by === 'nobody') return [actor];
  const actedFor = parameter(by);
  return [actor, `e.acted_for = ${actedFor}::bigint and e.actor is distinct from ${actedFor}::text`];
}

/** Events caused by a request itself have no causation of their own in the index. */
function causeConditions({ causedBy }: EventFilter, parameter: Parameter): string[] {
  if (causedBy === undefined) return [];
  const id = parameter(causedBy);
  return [`e.causation = ${id}`, `e.causation is null and e.correlation = ${id}`];
}

/** One of each list, in all combinations; if that makes too many, the lists as alternatives in one condition. */
function combine(lists: readonly (readonly string[])[]): string[][] {
  const given = lists.filter((list) => list.length > 0);
  const count = given.reduce((product, list) => product * list.length, 1);
  if (count > maxCombinations) return [given.map((list) => `(${list.join(' or ')})`)];
  return given.reduce<string[][]>(
    (combined, list) => combined.flatMap((conditions) => list.map((one) => [...conditions, one])),
    [[]],
  );
}
