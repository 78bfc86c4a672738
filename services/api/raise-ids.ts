import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { readModelCategories } from '../../contracts/events/index.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { Ids } from '../accounts/ids.ts';
import type { LostAccounts, Registered } from '../accounts/lost-accounts.ts';
import type { Progress } from '../bus/progress.ts';
import type { UsedIds } from '../commands/used-ids.ts';
import { tryDecode } from '../log/codec.ts';
import { fitOf, type ReadModelsMark } from '../log/fit.ts';
import { StrangeLog } from '../log/identity.ts';
import { type EventLog, type RecordedEvent, startOfLog } from '../log/log.ts';
import { greatestIds, readMark } from '../queries/checkpoint.ts';
import { findWithoutAccount } from '../queries/registered.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import { findDeletedWithNames } from '../queries/ties.ts';

/** Time until the next attempt, in milliseconds. */
const pauseMs = 500;

/** Interval of log lines that say what is waited for, in milliseconds. */
const reminderMs = 5_000;

/** The number of people whose accounts are checked at once. */
const peopleAtOnce = 1_000;

interface Parts {
  readonly log: EventLog;
  readonly database: ReadDatabase;
  readonly progress: Pick<Progress, 'confirmed'>;
  readonly ids: Pick<Ids, 'raiseAbove'>;
  readonly used: UsedIds;
  readonly accounts: LostAccounts;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Raises the sources of ids above the ids in the log; before that an id might be given a second time.
 * Ids are read from the read models, and those of later events from the log, so that this waits for
 * no projector: one that is slow, or stopped by an event that it cannot apply, does not delay commands.
 * It waits only if the read models have events that the log lacks, until the projector has emptied them.
 * Afterwards `progress` is at most as far as the read models, and everyone who registered has an account.
 * @returns false if it was ended before
 */
export async function raiseIds(parts: Parts): Promise<boolean> {
  const { log, database, logger, signal } = parts;
  const remind = every(reminderMs, (reason: string) => logger.info({ reason }, 'ids cannot be given yet'));
  while (!signal.aborted) {
    try {
      const mark = await readMark(database);
      if ((await fitOf(log, mark)) === 'went back') {
        remind('the log was replaced by an older copy: the projector must empty the read models first');
      } else if (await raiseFrom(mark, parts, remind)) {
        return true;
      }
    } catch (error) {
      // The projector logs that the log belongs to another installation.
      if (!(error instanceof StrangeLog))
        logger.warn({ err: error }, 'the greatest ids could not be read yet');
    }
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

/** Raises them if the read models have not been emptied meanwhile. @returns false if they were, or it was ended */
async function raiseFrom(
  mark: ReadModelsMark,
  parts: Parts,
  remind: (reason: string) => void,
): Promise<boolean> {
  const { log, database, progress, ids, used, signal } = parts;
  const people: Registered[] = [];
  const deleted = new Set<Uid>();
  let count = 0;
  await freeShown(parts);
  for await (const record of log.readAll({ after: mark.position, prefixes: readModelCategories })) {
    if (signal.aborted) return false;
    used.apply(record);
    people.push(...registrationIn(record));
    const gone = deletionIn(record);
    if (gone !== undefined) {
      deleted.add(gone);
      // In the order of the log: somebody else may have registered the names since.
      await restore(people.splice(0), parts);
      await parts.accounts.free([gone]);
    }
    if (people.length === peopleAtOnce) await restore(people.splice(0), parts);
    count++;
    remind(`${count} events that the read models lack were read so far`);
  }
  const shown = await greatestIds(database);
  const now = await readMark(database);
  if (now.epoch !== mark.epoch || now.position < mark.position) return false;
  used.include(shown);
  await ids.raiseAbove(used.greatest);
  await restore(people, parts);
  await restoreShown(parts, deleted);
  // What is known of the read models may be of the log before, and further on: it follows the database back.
  await progress.confirmed(startOfLog, pauseMs);
  return true;
}

/** The person whom a record of the log registers; none by another record. */
function registrationIn(record: RecordedEvent): Registered[] {
  if (record.type !== 'UserRegistered') return [];
  const event = tryDecode(record);
  return 'type' in event && event.type === 'UserRegistered' ? [event.data] : [];
}

/** Whose account a record of the log deletes. */
function deletionIn(record: RecordedEvent): Uid | undefined {
  if (record.type !== 'AccountDeleted') return undefined;
  const event = tryDecode(record);
  return 'type' in event && event.type === 'AccountDeleted' ? event.data.uid : undefined;
}

/** Frees the names of those whose accounts the read models show as deleted. */
async function freeShown({ database, accounts }: Parts): Promise<void> {
  for (;;) {
    const uids = await findDeletedWithNames(database, peopleAtOnce);
    if (uids.length === 0) return;
    await accounts.free(uids);
  }
}

async function restore(people: readonly Registered[], { accounts, logger }: Parts): Promise<void> {
  const { restored, taken } = await accounts.restore(people);
  if (restored.length > 0) {
    logger.warn(
      { uids: restored },
      'accounts that the database had lost are put back without their passwords: they log in by phone, or the server sets a password',
    );
  }
  if (taken.length > 0) {
    logger.error(
      { uids: taken },
      'accounts that the database had lost are not put back: others have their usernames',
    );
  }
}

/** Puts back who the read models show. */
async function restoreShown(parts: Parts, deleted: ReadonlySet<Uid>): Promise<void> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const people: Registered[] = await findWithoutAccount(parts.database, after, peopleAtOnce);
    await restore(
      people.filter(({ uid }) => !deleted.has(uid)),
      parts,
    );
    after = people.length < peopleAtOnce ? undefined : people.at(-1)?.uid;
  }
}

/** Limits calls of `report` to one in each interval, the first after `intervalMs`. */
function every<Report>(intervalMs: number, report: (given: Report) => void): (given: Report) => void {
  let last = performance.now();
  return (given) => {
    if (performance.now() - last < intervalMs) return;
    last = performance.now();
    report(given);
  };
}
