import { readCheckpoint } from '../../queries/checkpoint.ts';
import { findMessageOrigin } from '../../queries/messages.ts';
import type { ReadDatabase } from '../../queries/tables.ts';
import type { ReadableLog } from '../readable-log.ts';
import { findInLog } from './message-in-log.ts';
import type { FindOrigin } from './message-origin.ts';

/**
 * Finds messages in the read models and, if these are behind the log, in the events that they lack.
 * @throws what the database and the log throw
 */
export function originFinder(database: ReadDatabase, log: ReadableLog): FindOrigin {
  return async (mid) => {
    // Read first: a message that is projected meanwhile is found in either.
    const { checkpoint } = await readCheckpoint(database);
    const found = await findMessageOrigin(database, mid);
    return found ? { mid, ...found } : findInLog(log, mid, checkpoint);
  };
}
