import type { Logger } from 'pino';
import type { App } from '../../app-keys/signature.ts';
import { AggregateStore } from '../../commands/aggregate-store.ts';
import { createSecurityLog } from '../../edge/security-log.ts';
import { type EventLog, startOfLog } from '../../log/log.ts';
import type { ReadDatabase } from '../../queries/tables.ts';
import type { Application } from '../application.ts';

/** What the queries of a moment are answered from. */
export interface PastParts {
  readonly app: App;
  /** The log as it was at the moment (services/audit/as-of/log-at-moment.ts). */
  readonly log: EventLog;
  /** The read models of the moment. */
  readonly database: ReadDatabase;
  /** In milliseconds since 1970. */
  readonly now: number;
  readonly logger: Logger;
}

/** What the log does not have: accounts, tokens, uploads, what was pushed. No query of a moment asks for it. */
function notInTheLog(): never {
  throw new TypeError('the log does not have what the query asks for');
}

/**
 * The application as it was at a moment, for its queries: it decides on the states of then and reads the read models
 * of then. Everybody is offline, for that is in no log.
 */
export async function openPast({ app, log, database, now, logger }: PastParts): Promise<{
  readonly application: Application;
  stop(): Promise<void>;
}> {
  const failed = (error: unknown) => logger.error({ err: error }, 'a past state could not be folded');
  const store = new AggregateStore(log, failed);
  await store.start();
  const application: Application = {
    ...{ app, log, database, store, logger },
    progress: { checkpoint: startOfLog, reached: async () => true, confirmed: async () => true },
    presence: async () => new Map(),
    obstacle: () => undefined,
    isReady: () => true,
    now: () => now,
    security: createSecurityLog(logger),
    smsInbox: undefined,
    get access() {
      return notInTheLog();
    },
    get deletions() {
      return notInTheLog();
    },
    get sender() {
      return notInTheLog();
    },
    get pool() {
      return notInTheLog();
    },
    get ids() {
      return notInTheLog();
    },
    get names() {
      return notInTheLog();
    },
    get completeAccounts() {
      return notInTheLog();
    },
    get passwords() {
      return notInTheLog();
    },
    get tokens() {
      return notInTheLog();
    },
    get sessions() {
      return notInTheLog();
    },
    get captchas() {
      return notInTheLog();
    },
    get smsCodes() {
      return notInTheLog();
    },
    get createdGroups() {
      return notInTheLog();
    },
    get files() {
      return notInTheLog();
    },
    get auditOrigin() {
      return notInTheLog();
    },
    get auditVerifier() {
      return notInTheLog();
    },
    get drawing() {
      return notInTheLog();
    },
    get uploads() {
      return notInTheLog();
    },
  };
  return { application, stop: () => store.stop() };
}
