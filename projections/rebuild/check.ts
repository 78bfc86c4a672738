import { openClient } from '../../services/postgres/connect.ts';
import { type Comparison, compareSets } from './comparison.ts';
import { prepareNextSet } from './next-set.ts';
import { fillNextSet, lockRebuild, type RebuildOptions, rebuildPurpose } from './rebuild.ts';
import { currentSchema, nextSchema } from './sets.ts';
import { trySnapshot } from './snapshot.ts';

/**
 * Makes the read models once more beside those that are served, compares the two, and drops what it made: those that
 * are served stay as they are.
 * @returns what differs: `before` is what the read models show, `after` what the log says; `busy` if another process makes them again just now; `interrupted` after the signal
 * @throws what the database throws; Error for an event that cannot be applied
 */
export async function checkReadModels(
  options: Omit<RebuildOptions, 'patient'>,
): Promise<Comparison | 'busy' | 'interrupted'> {
  const { database, version, maxDifferences, onBegun } = options;
  const client = await openClient(database, rebuildPurpose);
  try {
    if (!(await lockRebuild(client))) return 'busy';
    const from = await prepareNextSet(client, version);
    onBegun?.(from);
    try {
      const snapshot = await fillNextSet(client, { ...options, patient: false }, (limit) =>
        trySnapshot({ database, limit }),
      );
      if (snapshot === undefined) return 'interrupted';
      try {
        return await compareSets(snapshot, currentSchema, nextSchema, maxDifferences);
      } finally {
        await snapshot.end();
      }
    } finally {
      await client.query(`drop schema if exists ${nextSchema} cascade`);
    }
  } finally {
    await client.end();
  }
}
