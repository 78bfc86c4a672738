import { openClient } from '../../services/postgres/connect.ts';

/** The index by which a stream is read (migration 0070-stream-revisions). */
const index = 'log.events_stream_revision';

/**
 * Says on stderr that the log lacks the index of streams, as between an upgrade and the first start after it: to read
 * one stream reads the whole log then.
 * @throws what `pg` throws
 */
export async function warnOfMissingIndex(databaseUrl: string): Promise<void> {
  const client = await openClient(databaseUrl, { name: 'bubble-im command', statementTimeoutMs: 30_000 });
  try {
    // Of the catalogue alone, which any role may read.
    const { rows } = await client.query<{ lacking: boolean }>(
      `select to_regclass('log.events') is not null
          and not exists (select from pg_index where indexrelid = to_regclass($1) and indisvalid) as lacking`,
      [index],
    );
    if (!rows[0]?.lacking) return;
    process.stderr.write(
      'the tables are of an older version, in which this may take very long: the next start brings them up to date, or ' +
        'npm run migrate\n',
    );
  } finally {
    await client.end();
  }
}
