import type pg from 'pg';
import { categories } from '../../contracts/events/index.ts';
import { createLag } from '../../services/api/lag.ts';
import { auditorName } from '../../services/audit/index/audit-task.ts';
import { strangeInLog } from '../../services/audit/tree/strange-in-log.ts';
import type { EventLog, Position } from '../../services/log/log.ts';
import { isMissingTable } from '../../services/postgres/sql-state.ts';
import { readFault } from '../../services/queries/checkpoint.ts';
import { readDatabase } from '../../services/queries/tables.ts';
import { duration } from '../cli/progress.ts';
import { type Finding, findings } from './finding.ts';

/** An index that lacks events of a shorter time is behind as a busy one is, in milliseconds. */
const usualLagMs = 5_000;

export interface AuditExamination {
  readonly log: EventLog;
  readonly pool: pg.Pool;
  /** The parts that the program at the port shows at its `/ready`, whose reasons are findings already. */
  readonly shown: readonly string[];
}

/**
 * What `/ready` of a program with an auditor says, also if none runs: whether the auditor has stopped, how far the index is
 * behind, and what is in the log that was written past the program.
 */
export async function examineAudit(examination: AuditExamination): Promise<Finding[]> {
  try {
    return [...(await examineIndex(examination)), ...(await examineEvents(examination))];
  } catch (error) {
    // The tables are of a version before this one: the migrations to come are a finding of their own.
    if (isMissingTable(error)) return [];
    throw error;
  }
}

async function examineIndex({ log, pool, shown }: AuditExamination): Promise<Finding[]> {
  const { ok, warning, fault } = findings('audit');
  const database = readDatabase(pool);
  const stop = shown.includes('audit') ? undefined : await readFault(database, auditorName);
  const stopped =
    stop === undefined
      ? []
      : [fault(`the auditor does not follow the log: ${stop.reason}`, 'docs/operations.md, What to watch')];
  const { rows } = await pool.query<{ position: Position }>(
    'select position from followers.checkpoint where name = $1',
    [auditorName],
  );
  const [mark] = rows;
  if (mark === undefined)
    return [...stopped, warning('there is no index of this log', 'start the program, or an auditor')];
  const lagMs = await createLag(log, categories)(mark.position);
  if (lagMs === 0) return [...stopped, ok('the index has all events of the log')];
  const missing = log.extent(mark.position, await log.end(categories));
  const unit = log.remembersIds === 'forever' ? 'events' : 'bytes';
  const found = `the index lacks ${missing.toLocaleString('en')} ${unit} of the log, ${duration(lagMs / 1000)} of events`;
  return [
    ...stopped,
    lagMs <= usualLagMs
      ? ok(found)
      : warning(
          found,
          'start the program or an auditor; if one runs, it goes on when less is written, see what /ready says of it',
        ),
  ];
}

async function examineEvents({ log, pool, shown }: AuditExamination): Promise<Finding[]> {
  if (shown.includes('proof')) return [];
  const { fault } = findings('proof');
  const { misplaced, repeated, unread } = await strangeInLog(log, pool);
  return [misplaced, repeated, unread]
    .filter((words) => words !== '')
    .map((words) => fault(words, 'docs/operations.md, What verify says, and what to do'));
}
