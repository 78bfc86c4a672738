import { type RecordedUse, recordOperatorUse } from '../../services/audit/operator-use.ts';
import { reasonOf } from '../../services/error-reason.ts';
import type { EventLog } from '../../services/log/log.ts';
import { type OwnLogOptions, openOwnLog } from './own-log.ts';

/** How long a command tries to record its use, in milliseconds: a log that cannot be written to is a reason to look at it. */
const recordingTimeoutMs = 3_000;

export interface AskingOptions extends Omit<OwnLogOptions, 'unnamed' | 'appendTimeoutMs'> {
  /** The name of the command, as in `npm run <name>`. */
  readonly command: string;
  /** By default one that names no installation is read if it holds events. */
  readonly unnamed?: OwnLogOptions['unnamed'];
}

/** A log that a command reads. Nothing else is appended to it: an append is not tried for long. */
export interface AskedLog {
  readonly log: EventLog;
  /** The record of this use; undefined if nothing was recorded. */
  readonly use: RecordedUse | undefined;
}

/**
 * Opens a log for a command that only reads it, records that use (docs/operations.md, Who looked), hands the log to
 * `ask`, and closes it. If the log does not take the record within `recordingTimeoutMs`, stderr says so, and the
 * command goes on.
 * @throws StrangeLog if it is not that of the database's installation, and nothing is recorded in it; LogFailure if it
 *   cannot be reached; what `ask` throws
 */
export async function withAskedLog<Result>(
  { command, unnamed = 'with events', ...place }: AskingOptions,
  ask: (asked: AskedLog) => Promise<Result>,
): Promise<Result> {
  const log = await openOwnLog({ ...place, unnamed, appendTimeoutMs: recordingTimeoutMs });
  try {
    return await ask({ log, use: await recordUse(log, command) });
  } finally {
    await log.close();
  }
}

async function recordUse(log: EventLog, command: string): Promise<RecordedUse | undefined> {
  try {
    return await recordOperatorUse(log, command, process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${command}: the log does not take a record of this use: ${reasonOf(error)}\n`);
    return undefined;
  }
}
