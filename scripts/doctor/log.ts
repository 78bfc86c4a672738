import type pg from 'pg';
import type { Logger } from 'pino';
import { readModelCategories } from '../../contracts/events/index.ts';
import { createLag } from '../../services/api/lag.ts';
import type { Environment } from '../../services/environment.ts';
import { reasonOf } from '../../services/error-reason.ts';
import { fitOf, type ReadModelsMark } from '../../services/log/fit.ts';
import type { EventLog } from '../../services/log/log.ts';
import { openLog } from '../../services/log/open.ts';
import { isMissingTable, sqlState } from '../../services/postgres/sql-state.ts';
import { readFault, readMark } from '../../services/queries/checkpoint.ts';
import { readDatabase } from '../../services/queries/tables.ts';
import { duration } from '../cli/progress.ts';
import { examineAudit } from './audit.ts';
import { type Finding, findings } from './finding.ts';
import { medianMs, shownMs } from './latency.ts';

const { ok, warning, fault, refused } = findings('log');

/** What Postgres says of a column that does not exist. */
const undefinedColumn = '42703';

export interface LogExamination {
  readonly environment: Environment;
  /** The database of the read models; undefined if it is at rest, or cannot be used. */
  readonly database: { readonly url: string; readonly pool: pg.Pool } | undefined;
  readonly logger: Logger;
  /** The parts that the program at the port shows at its `/ready`. */
  readonly shown: readonly string[];
}

/** Whether the log answers, whether the read models are of this log, and how far they lag behind it. */
export async function examineLog(examination: LogExamination): Promise<Finding[]> {
  const { environment, database, logger, shown } = examination;
  const inDatabase = environment.eventStoreUrl === undefined;
  if (inDatabase && database === undefined) return [];
  const mark = database && (await markOf(database.pool));
  const fresh = database !== undefined && mark === undefined;
  const found = fresh ? [ok('no program has worked on it yet')] : [];
  // Its tables may not be there.
  if (inDatabase && fresh) return found;
  const log = await openLog(environment, database?.url ?? '', logger);
  try {
    let latency: number;
    try {
      latency = await medianMs(() => log.end());
    } catch (error) {
      const where = inDatabase ? 'Postgres' : 'EventStoreDB, and at EVENTSTORE_URL';
      return [fault(`its end cannot be read: ${reasonOf(error)}`, `look at ${where}`)];
    }
    found.unshift(ok(`its end is read in ${shownMs(latency)}`));
    if (database === undefined || mark === undefined) return found;
    const { pool } = database;
    return [
      ...found,
      ...(await examineReadModels(log, mark)),
      ...(await examineStop(pool)),
      ...(environment.audit ? await examineAudit({ log, pool, shown }) : []),
    ];
  } finally {
    await log.close();
  }
}

/** By what the read models know their log; undefined before the first start. */
async function markOf(pool: pg.Pool): Promise<ReadModelsMark | undefined> {
  try {
    const mark = await readMark(readDatabase(pool));
    return mark.installation === null ? undefined : mark;
  } catch (error) {
    if (isMissingTable(error)) return undefined;
    throw error;
  }
}

/** Whether the projector has stopped before an event. */
async function examineStop(pool: pg.Pool): Promise<Finding[]> {
  const stop = await readFault(readDatabase(pool)).catch((error) => {
    // The tables are of a version before this one: the migrations to come are a finding of their own.
    if (sqlState(error) === undefinedColumn) return undefined;
    throw error;
  });
  if (stop === undefined) return [];
  const { position, reason } = stop;
  const remedy =
    position === undefined
      ? 'docs/operations.md, When the log is not the one that was read'
      : `start a newer program, or pass the event over: npm run skip -- ${position} --why "…"`;
  return [findings('projector').fault(`the read models do not follow the log: ${reason}`, remedy)];
}

async function examineReadModels(log: EventLog, mark: ReadModelsMark): Promise<Finding[]> {
  try {
    const fit = await fitOf(log, mark);
    if (fit === 'went back') {
      return [
        fault(
          'it lacks events that the read models show: it was replaced by an older copy',
          'find out why; the program begins another epoch and makes the read models again',
        ),
      ];
    }
    const { installation, epoch } = mark;
    const agree =
      fit === 'fits'
        ? ok(`it is that of the installation ${installation}, epoch ${epoch}, as the read models say`)
        : warning('it has begun another epoch', 'nothing: the program notices it, and clients load afresh');
    return [agree, await examineLag(log, mark)];
  } catch (error) {
    return [refused(error)];
  }
}

async function examineLag(log: EventLog, { position }: ReadModelsMark): Promise<Finding> {
  const lag = findings('lag');
  const ms = await createLag(log)(position);
  if (ms === 0) return lag.ok('the read models show all events of the log');
  const missing = log.extent(position, await log.end(readModelCategories));
  const unit = log.remembersIds === 'forever' ? 'events' : 'bytes';
  return lag.warning(
    `the read models lack ${missing.toLocaleString('en')} ${unit} of the log, ${duration(ms / 1000)} of events`,
    'start the program or a projector; if one runs, see what /ready says of it',
  );
}
