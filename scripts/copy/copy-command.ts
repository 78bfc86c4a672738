import { copyLog } from '../../services/audit/copy/copy-log.ts';
import { readEnvironment } from '../../services/environment.ts';
import { openLog } from '../../services/log/open.ts';
import { openProgramLog } from '../../services/logger.ts';
import { interruptible } from '../cli/interruption.ts';
import { showProgress } from '../cli/progress.ts';
import { withDatabase } from '../with-database.ts';
import { type CopyPlace, logPlace, withPlace } from './copy-place.ts';

/**
 * Copies between the log of the environment and another place, and prints what came of it.
 * @param prepare is given the database of the environment's log before it is opened
 */
export async function copyWith(
  direction: 'to' | 'from',
  text: string,
  streamPrefix: string,
  prepare: (databaseUrl: string) => Promise<unknown>,
): Promise<void> {
  const environment = readEnvironment();
  const { logger } = await openProgramLog(environment.logLevel === 'info' ? 'warn' : environment.logLevel);
  const withOwn = async (use: (place: CopyPlace) => Promise<void>) => {
    const useLogOf = async (url: string) => {
      const log = await openLog(environment, url, logger);
      try {
        await use(logPlace(log));
      } finally {
        await log.close();
      }
    };
    // The log in EventStoreDB needs no database.
    if (environment.eventStoreUrl !== undefined) return useLogOf(environment.databaseUrl ?? '');
    return withDatabase(environment, logger, async (url) => {
      await prepare(url);
      await useLogOf(url);
    });
  };
  await withOwn((own) =>
    withPlace(text, streamPrefix, logger, (other) =>
      direction === 'to' ? copyAndPrint(own, other) : copyAndPrint(other, own),
    ),
  );
}

async function copyAndPrint(source: CopyPlace, target: CopyPlace): Promise<void> {
  const { signal } = interruptible();
  const progress = showProgress({ doing: 'copying' });
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
