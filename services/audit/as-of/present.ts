import { readModelCategories } from '../../../contracts/events/index.ts';
import { currentSchema } from '../../../projections/rebuild/sets.ts';
import { fitOf, type ReadModelsMark } from '../../log/fit.ts';
import { StrangeLog } from '../../log/identity.ts';
import type { EventLog, RecordedEvent } from '../../log/log.ts';
import { skipStream } from '../../log/skips.ts';
import type { Queries } from '../index/search.ts';
import type { Moment } from '../moment.ts';

/** What the present read models show. */
export interface Present extends ReadModelsMark {
  /** Null until the program that made them has said so. */
  readonly version: string | null;
  /** Changes with each commit of the projector, and when another set of read models takes their place. */
  readonly commit: string;
}

/**
 * Messages cannot be taken from the present read models: these changed meanwhile, so that what was made of them may lack
 * some, or lack some that the log has.
 */
export class PresentUnusable extends Error {
  override readonly name = 'PresentUnusable';
  readonly why: 'changed' | 'lost messages';

  constructor(why: PresentUnusable['why']) {
    super(`the present read models are not usable: ${why}`);
    this.why = why;
  }
}

export interface PresentOptions {
  readonly queries: Queries;
  readonly log: EventLog;
  readonly moment: Moment;
  /** Gives the version of what makes read models in this program. */
  readonly version: () => Promise<string>;
}

/**
 * Answers from the present read models if they show exactly the moment, as they show that of now when nothing is being
 * sent: to make them again would give the same rows.
 * @param use makes the answer from the schema that it is given, and changes nothing
 * @returns undefined if they show another moment, or if something was committed to them meanwhile
 */
export async function answeredByPresent<Result>(
  options: PresentOptions,
  use: (schema: string) => Promise<Result>,
): Promise<{ readonly result: Result } | undefined> {
  const before = await presentOf(options.queries);
  if (before === undefined || !(await shows(before, options))) return undefined;
  const result = await use(currentSchema);
  // The answer takes several statements: if there was no commit, all of them saw the same rows.
  return (await presentOf(options.queries))?.commit === before.commit ? { result } : undefined;
}

/** Whether the present read models show the same log as it is, up to their position, as this program shows it. */
export async function isTrusted(
  present: Present,
  { log, version }: Pick<PresentOptions, 'log' | 'version'>,
): Promise<boolean> {
  if (present.version === null || present.version !== (await version())) return false;
  if (present.installation === null || !(await fits(log, present))) return false;
  // What was skipped after it was applied is still there.
  for await (const _ of log.readStream(skipStream, { limit: 1 })) return false;
  return true;
}

/** What the present read models show; undefined in a database without any. */
export async function presentOf(queries: Queries): Promise<Present | undefined> {
  const { rows } = await queries.query<Present>(
    `select position, event_id as "eventId", installation, epoch, version, concat_ws(' ', epoch, batch, fence) as commit
       from followers.checkpoint where name = 'read'`,
    [],
  );
  return rows[0];
}

/** Whether the present read models show all that they showed before, of the same log. */
export async function showsStill(queries: Queries, before: Present): Promise<boolean> {
  const now = await presentOf(queries);
  return (
    now !== undefined &&
    now.epoch === before.epoch &&
    now.version === before.version &&
    now.position >= before.position
  );
}

async function shows(present: Present, options: PresentOptions): Promise<boolean> {
  if (!(await isTrusted(present, options))) return false;
  const { log, moment } = options;
  const last = await log.at(present.position);
  if (!last) return false;
  if (!isOfAllUpTo(moment, last, log)) return false;
  return reaches(present, { log, moment });
}

/** Whether all events up to one are of a moment, as far as this one tells. */
function isOfAllUpTo(
  { past, position, time }: Moment,
  last: RecordedEvent,
  { recordedAscends }: Pick<EventLog, 'recordedAscends'>,
): boolean {
  if (!past) return true;
  if (position !== undefined) return last.position <= position;
  // If clocks went back, an event before may be of a later time.
  return recordedAscends && last.recorded <= time;
}

/** Whether no event of a moment is behind what the present read models show. */
export async function reaches(
  { position: after }: Present,
  { log, moment }: Pick<PresentOptions, 'log' | 'moment'>,
): Promise<boolean> {
  for await (const next of log.readAll({ after, prefixes: readModelCategories, limit: 1 })) {
    return !moment.includes(next);
  }
  return true;
}

async function fits(log: EventLog, mark: ReadModelsMark): Promise<boolean> {
  try {
    return (await fitOf(log, mark)) === 'fits';
  } catch (error) {
    if (error instanceof StrangeLog) return false;
    throw error;
  }
}
