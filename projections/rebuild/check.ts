import { type Comparison, compareSets } from './comparison.ts';
import { dropCheckSet, prepareCheckSet } from './next-set.ts';
import { fillSet, lockRebuild, openFillingClient, type RebuildOptions } from './rebuild.ts';
import { checkSet, currentSchema } from './sets.ts';
import { trySnapshot } from './snapshot.ts';

/**
 * Makes the read models once more from the beginning of the log, beside those that are served and beside the rest of an
 * interrupted rebuild, compares them with those that are served, and drops what it made.
 * @returns what differs: `before` is what the read models show, `after` what the log says; `busy` if another process makes them again just now; `interrupted` after the signal
 * @throws what the database throws; Error for an event that cannot be applied
 */
export async function checkReadModels(
  options: Omit<RebuildOptions, 'patient' | 'onBegun'>,
): Promise<Comparison | 'busy' | 'interrupted'> {
  const { database, version, maxDifferences } = options;
  const client = await openFillingClient(database, checkSet);
  try {
    if (!(await lockRebuild(client))) return 'busy';
    await prepareCheckSet(client, version);
    try {
      const snapshot = await fillSet(client, checkSet, { ...options, patient: false }, (limit) =>
        trySnapshot(database, checkSet, limit),
      );
      if (snapshot === undefined) return 'interrupted';
      try {
        return await compareSets(snapshot, currentSchema, checkSet.schema, maxDifferences);
      } finally {
        await snapshot.end();
      }
    } finally {
      await dropCheckSet(client);
    }
  } finally {
    await client.end();
  }
}
