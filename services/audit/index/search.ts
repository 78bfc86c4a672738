import type { QueryResultRow } from 'pg';
import { fitOf, type ReadModelsMark } from '../../log/fit.ts';
import { StrangeLog } from '../../log/identity.ts';
import type { EventId, EventLog, Position, StreamName } from '../../log/log.ts';
import type { EventFilter } from '../events/filter.ts';

/** What runs a query: a pool or a client. */
export interface Queries {
  query<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<{ readonly rows: Row[] }>;
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

  /** The numbers of the events within the bounds of time and position that a filter gives. */
  async range({ after, since, until, upTo }: EventFilter): Promise<Range> {
    const parameters: unknown[] = [];
    const first = (search: string, value: unknown) =>
      value === undefined ? [] : [`audit.${search}($${parameters.push(value)})`];
    const low = ['0', ...first('first_after', after), ...first('first_recorded', since)];
    const end = '(select coalesce(max(number) + 1, 0) from audit.events)';
    const high = [end, ...first('first_after', upTo), ...first('first_recorded', until)];
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
    if (types?.length === 0) return [];
    const conditions = [...rowConditions(filter, parameter)];
    const combinations = combine(streamConditions(filter, parameter), typeConditions(types, parameter));
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

  /** The position of the event before a number; the start of the log before the first one. */
  async positionBefore(number: number): Promise<Position> {
    const { rows } = await this.#queries.query<{ position: Position }>(
      'select position from audit.events where number = $1',
      [number - 1],
    );
    return rows[0]?.position ?? ('' as Position);
  }

  /** The types of a filter, narrowed to those that its categories have; undefined for all. */
  async #typesOf({ categories, types }: EventFilter): Promise<readonly string[] | undefined> {
    if (categories === undefined) return types;
    const { rows } = await this.#queries.query<{ type: string }>(
      'select distinct type from audit.types where category = any($1)',
      [categories],
    );
    const inCategories = rows.map(({ type }) => type);
    return types === undefined ? inCategories : types.filter((type) => inCategories.includes(type));
  }
}

type FoundRow = Omit<Found, 'number' | 'revision'> & { readonly number: string; readonly revision: string };

const columns = 'e.number, e.position, e.stream, e.revision, e.id';

type Parameter = (value: unknown) => string;

function* rowConditions(filter: EventFilter, parameter: Parameter): Generator<string> {
  const { by, conversation, mid, correlation, causedBy, categories } = filter;
  if (by !== undefined) yield `e.actor = ${parameter(by)}`;
  if (conversation !== undefined) yield `e.conversation = ${parameter(conversation)}`;
  if (mid !== undefined) yield `e.mid = ${parameter(mid)}`;
  if (correlation !== undefined) yield `e.correlation = ${parameter(correlation)}`;
  if (causedBy !== undefined) {
    const id = parameter(causedBy);
    yield `(e.causation = ${id} or e.causation is null and e.correlation = ${id})`;
  }
  if (categories !== undefined) yield `split_part(e.stream, '-', 1) = any(${parameter(categories)})`;
}

/** One condition for each stream or beginning of names. */
function streamConditions({ streams }: EventFilter, parameter: Parameter): string[] {
  return (streams ?? []).map((stream) => {
    if (!stream.endsWith('*')) return `e.stream = ${parameter(stream)}`;
    return `starts_with(e.stream, ${parameter(stream.slice(0, -1))})`;
  });
}

function typeConditions(types: readonly string[] | undefined, parameter: Parameter): string[] {
  return (types ?? []).map((type) => `e.type = ${parameter(type)}`);
}

/** Each of one list with each of the other, or both lists as alternatives if that makes too many. */
function combine(streams: readonly string[], types: readonly string[]): string[][] {
  if (Math.max(1, streams.length) * Math.max(1, types.length) > maxCombinations) {
    return [[streams, types].filter((list) => list.length > 0).map((list) => `(${list.join(' or ')})`)];
  }
  const alternatives = (list: readonly string[]) => (list.length === 0 ? [[]] : list.map((one) => [one]));
  return alternatives(streams).flatMap((stream) => alternatives(types).map((type) => [...stream, ...type]));
}
