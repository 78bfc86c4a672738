import type { FollowingFault } from '../log/following-fault.ts';
import { type DatabaseConfig, openClient, type Purpose } from '../postgres/connect.ts';

/** Whose fault it is. */
export interface Faulty {
  readonly database: DatabaseConfig;
  /** The follower's name, and what it is called in the log of the program. */
  readonly name: string;
  readonly part: string;
  /** Names this process's follower among those of all processes. */
  readonly holder: string;
}

/**
 * Records in the database why a follower does not follow the log, for processes that have none of its name. Nothing is
 * recorded while another one works: it may have gone past what stopped this one.
 * @throws what `pg` throws
 */
export async function recordFault(
  { database, name, part, holder }: Faulty,
  { reason, position }: FollowingFault,
): Promise<void> {
  const client = await openClient(database, purposeOf(part));
  try {
    await client.query(
      `update followers.checkpoint c set fault = $3, fault_position = $4
         from followers.lease l
        where c.name = $1 and l.name = $1 and l.holder in ('', $2)`,
      [name, holder, reason, position ?? null],
    );
  } finally {
    await client.end();
  }
}

/** One small write. */
function purposeOf(part: string): Purpose {
  return { name: `bubble-im ${part} fault`, statementTimeoutMs: 2_000 };
}
