import type { Logger } from 'pino';
import { Follower } from '../followers/follower.ts';
import type { Preferred } from '../followers/yielding.ts';
import type { EventLog } from '../log/log.ts';
import type { DatabaseConfig } from '../postgres/connect.ts';
import { auditConsumers } from './consumers.ts';
import { AuditTask } from './index/audit-task.ts';
import type { IndexConsumer } from './index/consumer.ts';

export interface AuditorOptions {
  readonly log: EventLog;
  /** Where the index is. */
  readonly database: DatabaseConfig;
  readonly logger: Logger;
  /** What is made together with the index; all that there is by default. */
  readonly consumers?: readonly IndexConsumer[];
  /** A follower of this program that it may not slow. */
  readonly preferred?: Preferred | undefined;
}

/** The follower that keeps the index of the log, and what is made together with it. */
export type Auditor = Follower;

/**
 * Starts an auditor on a migrated database. Of all auditors on a database one works and the others stand by. It
 * yields to those who write to the log, so that the index lags under load.
 */
export async function startAuditor({
  log,
  database,
  logger,
  consumers = auditConsumers,
  preferred,
}: AuditorOptions): Promise<Auditor> {
  const auditor = new Follower({
    task: new AuditTask(log, consumers, logger, preferred),
    log,
    database,
    logger,
  });
  auditor.start();
  return auditor;
}
