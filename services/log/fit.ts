import { StrangeLog } from './identity.ts';
import { type EventId, type EventLog, type Position, startOfLog } from './log.ts';

/** What read models store about the log that they were made from. */
export interface ReadModelsMark {
  /** The last event that they show. Its id is null in read models that are older than this mark. */
  readonly position: Position;
  readonly eventId: EventId | null;
  /** Null until it is known. */
  readonly installation: string | null;
  readonly epoch: string;
}

/**
 * - `fits`: the read models show a beginning of this log.
 * - `another epoch`: they do, but their positions are no longer valid.
 * - `went back`: they show events that this log does not hold.
 */
export type Fit = 'fits' | 'another epoch' | 'went back';

const remedy =
  'Point DATABASE_URL and EVENTSTORE_URL to one installation, or restore the log; to make the read models ' +
  'again from this log, give it an empty database. Until then nothing is changed and commands answer 503';

/**
 * Why a log without an identity is not that of an installation: it holds nothing, or events and not what names it.
 * @throws LogFailure
 */
async function unnamedInWords(log: Pick<EventLog, 'end'>, installation: string): Promise<string> {
  if ((await log.end()) === startOfLog)
    return `the log is empty or was replaced: it does not name the installation ${installation}`;
  return (
    "the log holds events and not what names it: in EventStoreDB its stream 'installation' (behind STREAM_PREFIX), in Postgres " +
    `the row of log.identity, was deleted, or the log was replaced: it does not name the installation ${installation}`
  );
}

/** Why a log is not that of an installation; undefined if it is. @throws LogFailure */
export async function strangenessOf(
  log: Pick<EventLog, 'end' | 'identity'>,
  installation: string,
): Promise<string | undefined> {
  const identity = await log.identity();
  if (identity === undefined) return unnamedInWords(log, installation);
  if (identity.installation === installation) return undefined;
  return `the log belongs to the installation ${identity.installation}, and not to ${installation}`;
}

/**
 * Whether read models and log belong together.
 * @throws StrangeLog if the log belongs to another installation or was emptied (the read models must then stay
 *   as they are); LogFailure
 */
export async function fitOf(log: EventLog, mark: ReadModelsMark): Promise<Fit> {
  const identity = await log.identity();
  if (identity === undefined) {
    const why = await unnamedInWords(log, `${mark.installation}`);
    throw new StrangeLog(`${why}, whose read models reach ${mark.position || 'nothing yet'}. ${remedy}`);
  }
  if (identity.installation !== mark.installation) {
    throw new StrangeLog(
      `the log belongs to the installation ${identity.installation}, and the read models to ` +
        `${mark.installation}. ${remedy}`,
    );
  }
  if (!(await holds(log, mark))) return 'went back';
  return identity.epoch === mark.epoch ? 'fits' : 'another epoch';
}

async function holds(log: EventLog, { position, eventId }: ReadModelsMark): Promise<boolean> {
  if (position === '') return true;
  if (eventId === null) return (await log.end()) >= position;
  try {
    return (await log.idAt(position)) === eventId;
  } catch (error) {
    // A position of another kind of log: this one is a copy, in which events have other positions.
    if (error instanceof TypeError) return false;
    throw error;
  }
}
