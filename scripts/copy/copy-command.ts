import type { Logger } from 'pino';
import { migrate } from '../../projections/migrate.ts';
import { copyLog } from '../../services/audit/copy/copy-log.ts';
import { readEnvironment } from '../../services/environment.ts';
import type { EventLog } from '../../services/log/log.ts';
import { openLog } from '../../services/log/open.ts';
import { interruptible } from '../cli/interruption.ts';
import { openCommandLogger } from '../cli/logger.ts';
import { showProgress } from '../cli/progress.ts';
import { withDatabase } from '../with-database.ts';
import { type CopyPlace, sourcePlace, targetPlace, withPlace } from './copy-place.ts';

/** The other place, as the command names it. */
export interface Other {
  readonly text: string;
  readonly streamPrefix: string;
}

/** `npm run export`: copies the log of the environment to another place, and prints what came of it. */
export function exportTo(other: Other): Promise<void> {
  const target = { ...other, placeOf: targetPlace, prepare: migrate };
  return withOwnLog(
    async () => undefined,
    ({ log, logger, inEventStore }) =>
      withPlace(target, logger, async (place) =>
        copyAndPrint(await sourcePlace(log, inEventStore, 'export'), place),
      ),
  );
}

/** `npm run import`: fills the log of the environment from another place, and prints what came of it. */
export function importFrom(other: Other): Promise<void> {
  const source = {
    ...other,
    placeOf: (log: EventLog, inEventStore: boolean) => sourcePlace(log, inEventStore, 'import'),
  };
  return withOwnLog(migrate, ({ log, logger }) =>
    withPlace(source, logger, (place) => copyAndPrint(place, targetPlace(log))),
  );
}

/** The log that the environment names. */
interface OwnLog {
  readonly log: EventLog;
  readonly logger: Logger;
  readonly inEventStore: boolean;
}

/** @param prepare is given the database of the environment's log before it is opened */
async function withOwnLog(
  prepare: (databaseUrl: string) => Promise<unknown>,
  use: (own: OwnLog) => Promise<void>,
): Promise<void> {
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  const inEventStore = environment.eventStoreUrl !== undefined;
  const useLogOf = async (url: string) => {
    const log = await openLog(environment, url, logger);
    try {
      await use({ log, logger, inEventStore });
    } finally {
      await log.close();
    }
  };
  // The log in EventStoreDB needs no database.
  if (inEventStore) return useLogOf(environment.databaseUrl ?? '');
  return withDatabase(environment, logger, async (url) => {
    await prepare(url);
    await useLogOf(url);
  });
}

async function copyAndPrint(source: CopyPlace, target: CopyPlace): Promise<void> {
  const signal = interruptible();
  const progress = showProgress({ doing: 'copying', total: source.total });
  try {
    const { size, before, root } = await copyLog(source, target, progress.advance, signal);
    if (size === 0) throw new Error('there is nothing to copy: the source has no events');
    const installation = await source.installation();
    if (installation !== undefined && (await target.installation()) === undefined)
      await target.name(installation);
    progress.end();
    const there = before === 0 ? '' : `, ${before} of which were there before`;
    console.log(
      `${size} events are in the copy${there}. Both have the root ${Buffer.from(root).toString('base64')}`,
    );
  } finally {
    progress.end();
  }
}
