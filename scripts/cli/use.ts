import { type RecordedUse, recordOperatorUse } from '../../services/audit/operator-use.ts';
import { reasonOf } from '../../services/error-reason.ts';
import type { EventLog } from '../../services/log/log.ts';

/** How long a command tries to record its use, in milliseconds: a log that cannot be written to is a reason to look at it. */
export const recordingTimeoutMs = 3_000;

/**
 * Records that this command is used, before it reads anything (docs/operations.md, Who looked). If the log does not take
 * it, stderr says so, and the command goes on.
 * @param log opened with `recordingTimeoutMs`
 * @returns undefined if nothing was recorded
 */
export async function recordUse(log: EventLog, command: string): Promise<RecordedUse | undefined> {
  try {
    return await recordOperatorUse(log, command, process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${command}: the log does not take a record of this use: ${reasonOf(error)}\n`);
    return undefined;
  }
}
