import type { Client } from 'pg';
import { categories } from '../../contracts/events/index.ts';
import { strangenessTo } from '../../services/audit/strangeness.ts';
import { StrangeLog } from '../../services/log/identity.ts';
import { type EventLog, startOfLog } from '../../services/log/log.ts';
import { type LogPlace, openLog } from '../../services/log/open.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { isMissingTable } from '../../services/postgres/sql-state.ts';

/**
 * Whether a command takes a log that names no installation while the database names one: never; if it holds events,
 * which are evidence if what named them was deleted (an empty one is mostly that of another STREAM_PREFIX); or always,
 * since it fills the log or says itself what it lacks. A log that names another installation is never taken.
 */
export type Unnamed = 'refused' | 'with events' | 'taken';

export interface OwnLogOptions extends LogPlace {
  readonly unnamed: Unnamed;
  /** See `openLog`. */
  readonly appendTimeoutMs?: number;
}

const remedy =
  'Point DATA_DIR or DATABASE_URL, EVENTSTORE_URL and STREAM_PREFIX to one installation. Nothing is changed';

/**
 * Opens the log that a command works with, and compares it with the database that it is given: every command that has
 * both opens its log here (docs/operations.md, When the log is not the one that was read). A database that names no
 * installation, or cannot be reached, tells nothing, and the log is taken.
 * @throws StrangeLog if the log is not that of the database's installation; LogFailure; what `pg` throws
 */
export async function openOwnLog({ unnamed, appendTimeoutMs, ...place }: OwnLogOptions): Promise<EventLog> {
  const { source, databaseUrl, logger } = place;
  const log = await openLog(source, databaseUrl ?? '', logger, {
    ...(appendTimeoutMs && { appendTimeoutMs }),
  });
  try {
    const strangeness = databaseUrl === undefined ? undefined : await strangenessBeside(log, databaseUrl);
    if (strangeness === undefined || (await isTaken(log, unnamed))) return log;
    throw new StrangeLog(`${strangeness}. ${remedy}`);
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function strangenessBeside(log: EventLog, databaseUrl: string): Promise<string | undefined> {
  let client: Client;
  try {
    client = await openClient(databaseUrl, { name: 'bubble-im command', statementTimeoutMs: 30_000 });
  } catch {
    return undefined;
  }
  try {
    return await strangenessTo(log, client);
  } catch (error) {
    if (isMissingTable(error)) return undefined;
    throw error;
  } finally {
    await client.end();
  }
}

async function isTaken(log: EventLog, unnamed: Unnamed): Promise<boolean> {
  if (unnamed === 'refused' || (await log.identity()) !== undefined) return false;
  return unnamed === 'taken' || (await log.end(categories)) !== startOfLog;
}
