import { copyLog } from '../../services/audit/copy/copy-log.ts';
import { readEnvironment } from '../../services/environment.ts';
import { interruptible } from '../cli/interruption.ts';
import { openCommandLogger } from '../cli/logger.ts';
import { mustBeNoFile, writingTo } from '../cli/output-file.ts';
import { showProgress } from '../cli/progress.ts';
import { withDatabase, withExistingDatabase } from '../with-database.ts';
import {
  type CopyPlace,
  isFolder,
  type LogPlace,
  type NamedPlace,
  withNamedSource,
  withNamedTarget,
  withSource,
  withTarget,
} from './copy-place.ts';
import { mustHoldExport } from './export-folder.ts';

/** `npm run export`: copies the log of the environment to another place, and prints what came of it. */
export async function exportTo(named: NamedPlace): Promise<void> {
  const output = { option: '--to', path: named.text };
  await mustBeNoFile(output);
  await withOwnPlace(withExistingDatabase, (own) =>
    withNamedTarget(named, own.logger, (target) =>
      withSource(own, 'export', (source) => writingTo(output, () => copyAndPrint(source, target))),
    ),
  );
}

/** `npm run import`: fills the log of the environment from another place, and prints what came of it. */
export async function importFrom(named: NamedPlace): Promise<void> {
  // Before the target, of which a database may be made.
  if (isFolder(named)) await mustHoldExport('--from', named.text);
  await withOwnPlace(withDatabase, (own) =>
    withTarget(own, (target) =>
      withNamedSource(named, 'import', own.logger, (source) => copyAndPrint(source, target)),
    ),
  );
}

/** Hands `use` the place of the log that the environment names. */
async function withOwnPlace(
  withItsDatabase: typeof withDatabase<void>,
  use: (own: LogPlace) => Promise<void>,
): Promise<void> {
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  const placeAt = (databaseUrl: string): LogPlace => ({ source: environment, databaseUrl, logger });
  // The log in EventStoreDB needs no database.
  if (environment.eventStoreUrl !== undefined) return use(placeAt(environment.databaseUrl ?? ''));
  return withItsDatabase(environment, logger, (url) => use(placeAt(url)));
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
