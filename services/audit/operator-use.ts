import { categories } from '../../contracts/events/index.ts';
import { accessStreamOf } from '../commands/access-log.ts';
import { metadataOf, newEventId } from '../commands/execute.ts';
import { operatorContext } from '../commands/operator-context.ts';
import { encode } from '../log/codec.ts';
import { type EventId, type EventLog, type Position, startOfLog } from '../log/log.ts';
import { auditUse } from './audit-use.ts';

/** That a command asked about the past, as the log holds it. */
export interface RecordedUse {
  /** The event that says so. */
  readonly id: EventId;
  /** The end of the log before it. */
  readonly before: Position;
}

/**
 * Records in the log that an operator asks about its past. A log that is empty, or that no installation has named
 * yet, is not changed: it is still being filled, and must stay a beginning of what it is filled from.
 * @returns undefined for such a log
 * @throws LogFailure; Error if the log refuses it
 */
export async function recordOperatorUse(
  log: Pick<EventLog, 'append' | 'end' | 'identity'>,
  command: string,
  words: readonly string[],
): Promise<RecordedUse | undefined> {
  const [identity, before] = await Promise.all([log.identity(), log.end(categories)]);
  if (identity === undefined || before === startOfLog) return undefined;
  const use = auditUse(command, words);
  const id = newEventId();
  await log.append(accessStreamOf(use), 'any', [encode(id, use, metadataOf(operatorContext()))]);
  return { id, before };
}
