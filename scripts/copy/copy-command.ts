import { resolve } from 'node:path';
import { CopiedTree } from '../../services/audit/copy/copied-tree.ts';
import { type Copied, copyLog } from '../../services/audit/copy/copy-log.ts';
import { isOfExport } from '../../services/audit/copy/folder-copy.ts';
import { coverageInWords, type HeldExport } from '../../services/audit/copy/held-export.ts';
import { sameHash } from '../../services/audit/tree/hashes.ts';
import { lockExportFolder } from '../../services/data-folder.ts';
import { readEnvironment } from '../../services/environment.ts';
import type { LogPlace } from '../../services/log/open.ts';
import { interruptible } from '../cli/interruption.ts';
import { openCommandLogger } from '../cli/logger.ts';
import { mustTake, type OutputPath, writingTo } from '../cli/output-file.ts';
import { showProgress } from '../cli/progress.ts';
import { databaseBesideEventStore, withDatabase, withExistingDatabase } from '../with-database.ts';
import {
  isFolder,
  type NamedPlace,
  withNamedSource,
  withNamedTarget,
  withSource,
  withTarget,
} from './copy-place.ts';
import { exportToFolder } from './export-head.ts';
import { holdFolder } from './hold-folder.ts';
import type { CopyPlace } from './log-place.ts';

/** `npm run export`: copies the log of the environment to another place, and prints what came of it. */
export async function exportTo(named: NamedPlace): Promise<void> {
  const output = { option: '--to', path: named.text };
  if (isFolder(named)) await mustTake(output, { what: 'an export', isOf: isOfExport });
  await withOwnPlace(withExistingDatabase, (own) =>
    withNamedTarget(named, own.logger, (target) => {
      const copying = () =>
        withSource(own, 'export', (source) =>
          writingTo(output, async () => {
            if (!isFolder(named)) return print(await copy(source, target));
            const leftOut = () => source.firsts?.leftOut ?? 0;
            await exportToFolder(own, named.text, async (tree) => copy(source, target, tree), leftOut, print);
          }),
        );
      return isFolder(named) ? alone(output, copying) : copying();
    }),
  );
}

/** Does what writes to a folder while no other export does. @throws Error if one does; what `write` throws */
async function alone(output: OutputPath, write: () => Promise<void>): Promise<void> {
  const lock = await writingTo(output, () => lockExportFolder(resolve(output.path)));
  try {
    await write();
  } finally {
    await lock.release();
  }
}

/**
 * `npm run import`: fills the log of the environment from another place, and prints what came of it. A folder is held
 * against its record and its signed head before.
 * @param verifierKey by whose key the head must be signed
 */
export async function importFrom(named: NamedPlace, verifierKey: string | undefined): Promise<void> {
  const folder = isFolder(named) ? named.text : undefined;
  if (folder === undefined && verifierKey !== undefined)
    throw new Error('--verifier is by whose key the head of a folder must be signed: leave it out');
  // Before the target, of which a database may be made.
  const held = folder === undefined ? undefined : await holdFolder(folder, verifierKey);
  await withOwnPlace(withDatabase, (own) =>
    withTarget(own, (target) =>
      withNamedSource(named, 'import', own.logger, async (source) => {
        const copied = await copy(source, target);
        if (held) mustBe(held, copied);
        print(copied, held && coverageInWords(held.size, held.head));
      }),
    ),
  );
}

/** @throws Error if what was copied is not what was held against the head */
function mustBe({ root }: HeldExport, copied: Copied): void {
  if (sameHash(root, copied.root)) return;
  throw new Error('the folder was changed while it was copied: give an empty log, and begin again');
}

/** Hands `use` the place of the log that the environment names. */
async function withOwnPlace(
  withItsDatabase: typeof withDatabase<void>,
  use: (own: LogPlace) => Promise<void>,
): Promise<void> {
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  const placeAt = (databaseUrl: string | undefined): LogPlace => ({
    source: environment,
    databaseUrl,
    logger,
  });
  if (environment.eventStoreUrl !== undefined)
    return use(placeAt(await databaseBesideEventStore(environment)));
  return withItsDatabase(environment, logger, (url) => use(placeAt(url)));
}

async function copy(source: CopyPlace, target: CopyPlace, tree = new CopiedTree()): Promise<Copied> {
  const signal = interruptible();
  const progress = showProgress({ doing: 'copying', total: source.total });
  try {
    const copied = await copyLog(source, target, progress.advance, signal, tree);
    if (copied.size === 0) throw new Error('there is nothing to copy: the source has no events');
    const installation = await source.installation();
    if (installation !== undefined && (await target.installation()) === undefined)
      await target.name(installation);
    return copied;
  } finally {
    progress.end();
  }
}

function print({ size, before, root }: Copied, more = ''): void {
  const there = before === 0 ? '' : `, ${before} of which were there before`;
  const copied = `${size} events are in the copy${there}. Both have the root ${Buffer.from(root).toString('base64')}`;
  console.log(more === '' ? copied : `${copied}\n${more}`);
}
