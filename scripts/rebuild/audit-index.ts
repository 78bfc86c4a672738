import { setTimeout as delay } from 'node:timers/promises';
import { categories } from '../../contracts/events/index.ts';
import { migrate } from '../../projections/migrate.ts';
import { type AuditorOptions, startAuditor } from '../../services/audit/auditor.ts';
import { auditConsumers } from '../../services/audit/consumers.ts';
import { makeIndexAgain } from '../../services/audit/index/make-again.ts';
import { readEnvironment } from '../../services/environment.ts';
import { openClient, type Purpose } from '../../services/postgres/connect.ts';
import { withAskedLog } from '../cli/asked-log.ts';
import { openCommandLogger } from '../cli/logger.ts';
import { showProgress } from '../cli/progress.ts';
import { withExistingDatabase } from '../with-database.ts';

/** How often to look how far the index is, in milliseconds. */
const lookEveryMs = 200;

const purpose: Purpose = { name: 'bubble-im rebuild index', statementTimeoutMs: 60_000 };

/**
 * Makes the index of the log again. If an auditor works on it elsewhere, that one does it, and this waits for it.
 * @param signal ends the waiting; what is not made yet is made by the next auditor
 * @throws StrangeLog if the log is not that of the installation: the index stays as it is
 */
export async function rebuildAuditIndex(signal: AbortSignal): Promise<void> {
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  await withExistingDatabase(environment, logger, async (url) => {
    await migrate(url);
    await withAskedLog(
      { command: 'rebuild', source: environment, databaseUrl: url, logger, unnamed: 'refused' },
      ({ log }) => indexAgain({ log, database: url, logger }, signal),
    );
  });
}

async function indexAgain(
  { log, database, logger }: Pick<AuditorOptions, 'log' | 'logger'> & { readonly database: string },
  signal: AbortSignal,
): Promise<void> {
  const client = await openClient(database, purpose);
  const counted = async () => {
    const { rows } = await client.query<{ count: string }>(
      'select coalesce(max(number) + 1, 0) as count from audit.events',
    );
    return Number(rows[0]?.count ?? 0);
  };
  try {
    const end = await log.end(categories);
    const total = await makeIndexAgain(client, auditConsumers);
    const auditor = await startAuditor({ log, database, logger });
    const progress = showProgress({ doing: 'indexing', ...(total > 0 ? { total } : {}) });
    let done = 0;
    try {
      while (auditor.status().checkpoint < end && !signal.aborted) {
        if (auditor.fault !== undefined) throw new Error(auditor.fault.reason);
        await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
        const count = await counted();
        progress.advance(count - done);
        done = count;
      }
    } finally {
      progress.end();
      await auditor.stop();
    }
    const count = await counted();
    if (signal.aborted) process.stderr.write('rebuild: interrupted; the next auditor goes on with it\n');
    else process.stdout.write(`the index of the log was made again: ${count} events\n`);
  } finally {
    await client.end();
  }
}
