import { categories } from '../../contracts/events/index.ts';
import type { ConversationId, Mid, Uid } from '../../contracts/ids.ts';
import type { EventFilter } from '../../services/audit/events/filter.ts';
import { isUnrestricted, matches, prefixesOf, wholeStreams } from '../../services/audit/events/filter.ts';
import { type FindOptions, findEvents } from '../../services/audit/events/find-events.ts';
import { CurrentNames } from '../../services/audit/events/names.ts';
import type { EventLog, RecordedEvent } from '../../services/log/log.ts';
import { Skips } from '../../services/log/skips.ts';
import { positionIn } from '../cli/arguments.ts';
import { type OpenIndex, withAuditIndex } from '../cli/audit-index.ts';
import { NothingMatches } from '../cli/command.ts';
import { Output } from '../cli/output.ts';
import { showProgress } from '../cli/progress.ts';
import { type Format, type FormatName, formatOf } from './formats.ts';
import { whyNothing } from './nothing-found.ts';

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

export interface ReplayRun {
  readonly log: EventLog;
  readonly databaseUrl: string | undefined;
  readonly options: ReplayOptions;
  /** Ends it after the line that is being written. */
  readonly signal: AbortSignal;
}

/** Shows the events that the options ask for. @throws NothingMatches, NeedsIndex, LogFailure */
export async function replay(run: ReplayRun): Promise<void> {
  const filter = await filterOf(run);
  await withAuditIndex(run.log, run.databaseUrl, async (index) => {
    if ('search' in index) return show(run, filter, index);
    const quick = wholeStreams(filter) !== undefined || (isUnrestricted(filter) && !run.options.reverse);
    if (!quick)
      process.stderr.write(`replay: ${index.lacking}: the whole log is read instead, which takes longer\n`);
    return show(run, filter, undefined);
  });
}

async function filterOf({ log, options }: ReplayRun): Promise<EventFilter> {
  const { stream: streams, category, type: types, from, to, ...rest } = options;
  const { by, about, conversation, mid, correlation, causedBy, since, until } = rest;
  const after = from === undefined ? undefined : await positionIn(log, '--from', from);
  const upTo = to === undefined ? undefined : await positionIn(log, '--to', to);
  if (since !== undefined && until !== undefined && since >= until) {
    throw new NothingMatches('--since is not before --until, so nothing lies between them');
  }
  if (after !== undefined && upTo !== undefined && after >= upTo) {
    throw new NothingMatches('--from is not before --to, so nothing lies between them');
  }
  return {
    ...{ streams, categories: category, types, by, about, conversation, mid, correlation, causedBy },
    ...{ since, until, after, upTo },
  };
}

async function show(run: ReplayRun, filter: EventFilter, index: OpenIndex | undefined): Promise<void> {
  const { log, options, signal } = run;
  const { follow = false, limit, reverse = false } = options;
  // Where following begins: what comes later is not read twice.
  const end = follow ? await log.end() : undefined;
  const find: FindOptions = {
    ...{ log, index, filter: end === undefined ? filter : { ...filter, upTo: end }, reverse },
    ...(limit === undefined ? {} : { limit }),
  };
  const lines = await Lines.begin(run);
  for await (const found of findEvents(find)) {
    if (signal.aborted) break;
    const written = lines.write(found.record);
    if (written !== undefined) await written;
  }
  if (end !== undefined && !signal.aborted) {
    await lines.flush();
    await followLog(run, filter, end, lines);
  }
  await lines.end();
  if (lines.count === 0 && !follow && !signal.aborted) throw new NothingMatches(await whyNothing(find));
}

async function followLog(
  { log, options, signal }: ReplayRun,
  filter: EventFilter,
  after: Parameters<EventLog['subscribe']>[0]['after'],
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
  readonly #progress = process.stdout.isTTY ? undefined : showProgress({ doing: 'showing' });

  private constructor(format: Format, skips: Skips, output: Output) {
    this.#format = format;
    this.#skips = skips;
    this.#output = output;
  }

  static async begin({ log, options, signal }: ReplayRun): Promise<Lines> {
    const format = formatOf(options.format, new CurrentNames(log), options.names === true);
    // A decision lies behind the event that it skips.
    const skips = new Skips(log);
    await skips.refresh();
    return new Lines(format, skips, new Output(signal));
  }

  /** Notes a record that may be a decision to skip another one. */
  saw(record: RecordedEvent): void {
    this.#skips.apply(record);
  }

  /** Adds the line of an event. @returns a promise to wait for, unless it is done: most are at once */
  write(record: RecordedEvent): Promise<void> | undefined {
    const heading = this.count === 0 ? this.#format.heading : '';
    this.count++;
    this.#progress?.advance(1);
    const line = this.#format.line(record, this.#skips.reason(record));
    if (typeof line === 'string') return this.#output.write(`${heading}${line}\n`);
    return line.then((text) => this.#output.write(`${heading}${text}\n`));
  }

  flush(): Promise<void> {
    return this.#output.flush();
  }

  async end(): Promise<void> {
    this.#progress?.end();
    await this.#output.flush();
  }
}
