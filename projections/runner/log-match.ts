import type { Client } from 'pg';
import type { Logger } from 'pino';
import { categories } from '../../contracts/events/index.ts';
import { fitOf } from '../../services/log/fit.ts';
import { type EventLog, startOfLog } from '../../services/log/log.ts';
import type { Held } from './lease.ts';

/** What is no read model: they stay when the others are emptied. */
const kept = ['checkpoint', 'lease'];

/**
 * Brings read models that were taken over and the log together.
 * - The log begins another epoch: what was pushed in the one before is void.
 * - The log lacks what the read models show, and is ours: they are emptied, to be made again from the log.
 *   Accounts stay, but whether a registration is still in the log is looked up anew when a name is asked for.
 * @param client for a few statements, which may take as long as emptying tables does
 * @returns what the projector begins with
 * @throws StrangeLog if the log is not ours; the read models are then left as they are
 */
export async function matchLog(options: {
  readonly log: EventLog;
  readonly client: Client;
  readonly held: Held;
  readonly logger: Logger;
}): Promise<Held> {
  const { log, client, held, logger } = options;
  const fit = await fitOf(log, held);
  if (fit === 'fits') return held;
  const present = await log.identity();
  if (fit === 'another epoch') {
    const epoch = present?.epoch ?? held.epoch;
    logger.warn(
      { epoch },
      'the log has begun another epoch: clients that name earlier positions load afresh',
    );
    return begin(client, held, ['push'], { ...held, epoch, quietUntil: held.position });
  }
  const { epoch } =
    present?.epoch === held.epoch ? await log.beginEpoch(held.epoch) : { ...held, ...present };
  const quietUntil = await log.end(categories);
  logger.error(
    { epoch, lacked: held.position, end: quietUntil },
    'the log went back: the read models show events that it lacks, so it was replaced by an older copy. ' +
      'They are emptied and made again from the log; accounts stay as they are',
  );
  const position = startOfLog;
  return begin(client, held, await readModels(client), {
    ...held,
    position,
    eventId: null,
    epoch,
    quietUntil,
  });
}

async function readModels(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'read' and tablename <> all ($1)`,
    [kept],
  );
  return rows.map(({ name }) => name);
}

/** `Names` marks them again by the log, or gives the names of those away whose registration is lost. */
const unmarkAccounts = 'update accounts.accounts set registered = false where registered';

/** Empties tables and sets the checkpoint, in one transaction, unless another projector has taken over. */
async function begin(client: Client, was: Held, tables: readonly string[], next: Held): Promise<Held> {
  // A gap in the batches' numbers: who listens reads the checkpoint, and finds the other epoch.
  const batch = was.batch + 2;
  await client.query('begin');
  try {
    const { rowCount } = await client.query(
      `update read.checkpoint
          set position = $3, event_id = $4, epoch = $5, quiet_until = $6, batch = $7
        where name = 'read' and fence = $1 and position = $2`,
      [was.fence, was.position, next.position, next.eventId, next.epoch, next.quietUntil, batch],
    );
    if (rowCount !== 1) throw new Error('another projector has taken over');
    const names = tables.map((name) => `read.${client.escapeIdentifier(name)}`);
    if (names.length > 0) await client.query(`truncate ${names.join(', ')}`);
    if (next.position === startOfLog) await client.query(unmarkAccounts);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
  return { ...next, batch };
}
