import { currentPosition } from '../../projections/rebuild/sets.ts';
import { type Position, startOfLog } from '../../services/log/log.ts';
import { openClient } from '../../services/postgres/connect.ts';

/**
 * Says on stderr how far the read models show the log, if they end before a position: no projector has worked since.
 * What was made again or compared ends there, too.
 * @throws what the database throws
 */
export async function sayHowFar(database: string, end: Position): Promise<void> {
  const client = await openClient(database, { name: 'bubble-im position', statementTimeoutMs: 10_000 });
  try {
    const shown = await currentPosition(client);
    if (shown >= end) return;
    const upTo = shown === startOfLog ? 'nothing of the log yet' : `the log up to ${shown}`;
    process.stderr.write(
      `the read models show ${upTo}, and it ends at ${end}: the rest follows while the program runs\n`,
    );
  } finally {
    await client.end();
  }
}
