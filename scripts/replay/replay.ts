import { categories } from '../../contracts/events/index.ts';
import type { ConversationId, Mid, Uid } from '../../contracts/ids.ts';
import type { EventFilter } from '../../services/audit/events/filter.ts';
import {
  crossedBounds,
  isUnrestricted,
  matches,
  prefixesOf,
  wholeStreams,
} from '../../services/audit/events/filter.ts';
import { type FindOptions, findEvents } from '../../services/audit/events/find-events.ts';
import { CurrentNames } from '../../services/audit/events/names.ts';
import { whyNothing } from '../../services/audit/events/nothing-found.ts';
import { type EventId, type Position, type RecordedEvent, startOfLog } from '../../services/log/log.ts';
import { Skips } from '../../services/log/skips.ts';
import { positionIn } from '../cli/arguments.ts';
import type { AskedLog } from '../cli/asked-log.ts';
import { type OpenIndex, withAuditIndex } from '../cli/audit-index.ts';
import { NothingMatches } from '../cli/command.ts';
import { Output } from '../cli/output.ts';
import { type ProgressOptions, showProgress } from '../cli/progress.ts';
import { type Format, type FormatName, formatOf } from './formats.ts';

/** What commander makes of the options. */
export interface ReplayOptions {
  readonly stream?: readonly string[];
  readonly category?: readonly string[];
  readonly type?: readonly string[];
  readonly by?: string;
  readonly about?: Uid;
  readonly conversation?: ConversationId;
  readonly mid?: Mid;
  readonly correlation?: string;
  readonly causedBy?: string;
  readonly since?: number;
  readonly until?: number;
  readonly from?: string;
  readonly to?: string;
  readonly format: FormatName;
  readonly follow?: true;
  readonly reverse?: true;
  readonly limit?: number;
  readonly names?: true;
}

export interface ReplayRun extends AskedLog {
  readonly databaseUrl: string | undefined;
  readonly options: ReplayOptions;
  /** Whether the extent of this log is a number of events. */
  readonly countsEvents: boolean;
  /** Ends it after the line that is being written. */
  readonly signal: AbortSignal;
}

/** Shows the events that the options ask for. @throws NothingMatches, NeedsIndex, LogFailure */
export async function replay(run: ReplayRun): Promise<void> {
  const filter = await filterOf(run);
  await withAuditIndex(run, async (index) => {
    if ('search' in index) return show(run, filter, index);
    const quick = wholeStreams(filter) !== undefined || (isUnrestricted(filter) && !run.options.reverse);
    if (!quick)
      process.stderr.write(`replay: ${index.lacking}: the whole log is read instead, which takes longer\n`);
    return show(run, filter, undefined);
  });
}

const boundNames = { since: '--since', until: '--until', after: '--from', upTo: '--to' };

async function filterOf({ log, options }: ReplayRun): Promise<EventFilter> {
  const { stream: streams, category, type: types, from, to, ...rest } = options;
  const { by, about, conversation, mid, correlation, causedBy, since, until } = rest;
  const after = from === undefined ? undefined : await positionIn(log, '--from', from);
  const upTo = to === undefined ? undefined : await positionIn(log, '--to', to);
  const filter = {
    ...{ streams, categories: category, types, by, about, conversation, mid, correlation, causedBy },
    ...{ since, until, after, upTo },
  };
  const crossed = crossedBounds(filter, boundNames);
  if (crossed) throw new NothingMatches(crossed.words);
  return filter;
}

async function show(run: ReplayRun, filter: EventFilter, index: OpenIndex | undefined): Promise<void> {
  const { log, use, options, signal } = run;
  const { follow = false, limit, reverse = false } = options;
  // Where following begins: what comes later is not read twice. The record of this use lies behind it.
  const end = use?.before ?? (await log.end(categories));
  const find: FindOptions = {
    ...{ log, index, filter, reverse, signal },
    ...(limit === undefined ? {} : { limit }),
  };
  const lines = await Lines.begin(run);
  const progress = process.stdout.isTTY ? undefined : showProgress(progressOf(run, filter, index, end));
  const onRead = () => progress?.advance(1);
  try {
    const upTo = earlier(filter.upTo, end);
    for await (const { record } of findEvents({ ...find, filter: { ...filter, upTo }, onRead })) {
      const written = lines.write(record);
      if (written !== undefined) await written;
      if (signal.aborted) break;
    }
    progress?.end();
    if (follow && !signal.aborted) {
      await lines.flush();
      await followLog(run, filter, end, lines);
    }
  } catch (error) {
    // What a search throws that is interrupted comes of that.
    if (!signal.aborted) throw error;
  } finally {
    progress?.end();
    await lines.flush();
  }
  if (lines.count === 0 && !follow && !signal.aborted) throw new NothingMatches(await whyNothing(find));
}

/** The line that shows how far it is; how many events there are is known if the log is read whole. */
function progressOf(
  { log, countsEvents }: ReplayRun,
  filter: EventFilter,
  index: OpenIndex | undefined,
  end: Position,
): ProgressOptions {
  const whole = wholeStreams(filter) === undefined && (index === undefined || isUnrestricted(filter));
  const { after = startOfLog, upTo = end } = filter;
  return { doing: 'reading', total: whole && countsEvents ? log.extent(after, upTo) : undefined };
}

function earlier(one: Position | undefined, other: Position): Position {
  return one !== undefined && one < other ? one : other;
}

async function followLog(
  { log, options, signal }: ReplayRun,
  filter: EventFilter,
  after: Position,
  lines: Lines,
): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY } = options;
  if (lines.count >= limit) return;
  const prefixes = prefixesOf(filter) ?? categories;
  for await (const records of log.subscribe({ after, prefixes, signal })) {
    for (const record of records) {
      lines.saw(record);
      if (!matches(filter, record)) continue;
      await lines.write(record);
      if (signal.aborted || lines.count >= limit) return;
    }
    await lines.flush();
  }
}

/** Writes events to stdout, with what an operator decided of them. */
class Lines {
  count = 0;
  readonly #format: Format;
  readonly #skips: Skips;
  readonly #output: Output;
  /** The record of this very use, which is not shown. */
  readonly #own: EventId | undefined;

  private constructor(format: Format, skips: Skips, output: Output, own: EventId | undefined) {
    this.#format = format;
    this.#skips = skips;
    this.#output = output;
    this.#own = own;
  }

  static async begin({ log, use, options, signal }: ReplayRun): Promise<Lines> {
    const format = formatOf(options.format, new CurrentNames(log), options.names === true);
    // A decision lies behind the event that it skips.
    const skips = new Skips(log);
    await skips.refresh();
    return new Lines(format, skips, new Output(signal), use?.id);
  }

  /** Notes a record that may be a decision to skip another one. */
  saw(record: RecordedEvent): void {
    this.#skips.apply(record);
  }

  /** Adds the line of an event. @returns a promise to wait for, unless it is done: most are at once */
  write(record: RecordedEvent): Promise<void> | undefined {
    if (record.id === this.#own) return undefined;
    const heading = this.count === 0 ? this.#format.heading : '';
    this.count++;
    const line = this.#format.line(record, this.#skips.reason(record));
    if (typeof line === 'string') return this.#output.write(`${heading}${line}\n`);
    return line.then((text) => this.#output.write(`${heading}${text}\n`));
  }

  flush(): Promise<void> {
    return this.#output.flush();
  }
}
