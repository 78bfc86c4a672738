import type { Client } from 'pg';
import { AuditSearch, type Coverage } from '../../services/audit/index/search.ts';
import type { EventLog } from '../../services/log/log.ts';
import { cancelledBy } from '../../services/postgres/cancelling.ts';
import { openClient, type Purpose } from '../../services/postgres/connect.ts';
import { isMissingTable } from '../../services/postgres/sql-state.ts';

/** The index of the log as a command finds it. */
export interface OpenIndex {
  readonly search: AuditSearch;
  readonly coverage: Coverage;
}

/**
 * A search that combines what is common with what is rare may read much of the index. Rows are wanted in the order of
 * an index, so a plan that collects and sorts them is never the right one.
 */
const purpose: Purpose = {
  name: 'bubble-im audit command',
  statementTimeoutMs: 120_000,
  settings: { enable_bitmapscan: 'off', enable_seqscan: 'off', jit: 'off' },
};

export interface IndexOptions {
  readonly log: EventLog;
  readonly databaseUrl: string | undefined;
  /** Cancels the query that is under way. */
  readonly signal: AbortSignal;
}

/**
 * Hands `use` the index of the log, or why there is none.
 * @throws what `use` throws, LogFailure
 */
export async function withAuditIndex<Result>(
  { log, databaseUrl, signal }: IndexOptions,
  use: (index: OpenIndex | { readonly lacking: string }) => Promise<Result>,
): Promise<Result> {
  if (databaseUrl === undefined) return use({ lacking: 'there is no database with an index of the log' });
  let client: Client;
  try {
    client = await openClient(databaseUrl, purpose);
  } catch {
    return use({ lacking: 'the database with the index of the log cannot be reached' });
  }
  try {
    return await cancelledBy({ client, database: databaseUrl, signal }, async () => {
      const search = new AuditSearch(client);
      const coverage = await search.coverage(log).catch((error: unknown) => {
        if (isMissingTable(error)) return undefined;
        throw error;
      });
      return use(coverage ? { search, coverage } : { lacking: 'there is no index of this log' });
    });
  } finally {
    await client.end();
  }
}
