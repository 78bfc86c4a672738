import type { Client } from 'pg';
import type { Logger } from 'pino';
import { identify } from '../edge/identify.ts';
import { type Fit, fitOf } from '../log/fit.ts';
import { type EventLog, startOfLog } from '../log/log.ts';
import { inTransaction } from '../postgres/transaction.ts';
import type { Held } from './lease.ts';

/** How what was made of a log no longer fits it. */
export type Misfit = Exclude<Fit, 'fits'>;

export interface MatchOptions {
  readonly log: EventLog;
  /** For a few statements, which may take as long as emptying tables does. */
  readonly client: Client;
  /** The follower's name. */
  readonly name: string;
  readonly held: Held;
  /**
   * Empties what was made of the log before, in the transaction that sets the checkpoint: to the beginning if the
   * log `went back`; if it began `another epoch`, the checkpoint stays where it is.
   */
  readonly reset: (client: Client, misfit: Misfit) => Promise<void>;
  readonly logger: Logger;
}

/**
 * Makes what a follower made of the log fit the log, after the lease was acquired.
 * @returns what the follower begins with
 * @throws StrangeLog if the log is not ours; nothing is changed then
 */
export async function matchLog(options: MatchOptions): Promise<Held> {
  const { log, logger } = options;
  const held = await adopted(options);
  const fit = await fitOf(log, held);
  if (fit === 'fits') return held;
  const present = await log.identity();
  if (fit === 'another epoch') {
    const epoch = present?.epoch ?? held.epoch;
    logger.warn({ epoch }, 'the log has begun another epoch: positions of the one before are void');
    return begin(options, held, fit, { ...held, epoch });
  }
  const { epoch } =
    present?.epoch === held.epoch ? await log.beginEpoch(held.epoch) : { ...held, ...present };
  logger.error(
    { epoch, lacked: held.position },
    'the log went back: it lacks events that were applied, so it was replaced by an older copy. ' +
      'What was made of it is emptied and made again from the log; accounts stay as they are',
  );
  return begin(options, held, fit, { ...held, position: startOfLog, eventId: null, epoch });
}

/** The mark of a follower; of one that never worked, with the identity of the log. */
async function adopted({ log, client, name, held }: MatchOptions): Promise<Held> {
  const identity = await identify(log, client);
  if (held.installation !== null) return held;
  const { rows } = await client.query<Pick<Held, 'installation' | 'epoch'>>(
    `update followers.checkpoint
        set installation = coalesce(installation, $2), epoch = case when installation is null then $3 else epoch end
      where name = $1 and fence = $4 returning installation, epoch`,
    [name, identity.installation, identity.epoch, held.fence],
  );
  return { ...held, ...rows[0] };
}

/** Resets and sets the checkpoint, in one transaction, unless another has acquired the lease. */
async function begin(
  { client, name, reset }: MatchOptions,
  was: Held,
  misfit: Misfit,
  next: Held,
): Promise<Held> {
  // A gap in the batches' numbers: listeners read the checkpoint, and find the other epoch.
  const batch = was.batch + 2;
  await inTransaction(client, async () => {
    const { rowCount } = await client.query(
      `update followers.checkpoint set position = $3, event_id = $4, epoch = $5, batch = $6
        where name = $7 and fence = $1 and position = $2`,
      [was.fence, was.position, next.position, next.eventId, next.epoch, batch, name],
    );
    if (rowCount !== 1) throw new Error('another process has acquired the lease');
    await reset(client, misfit);
  });
  return { ...next, batch };
}
