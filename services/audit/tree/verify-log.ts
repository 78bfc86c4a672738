import { changedSnapshots } from '../changed-snapshots.ts';
import { strangenessTo } from '../strangeness.ts';
import { ComingHeads } from './coming-heads.ts';
import { Heads, otherOriginsThan } from './heads.ts';
import { storedExtent } from './stored-extent.ts';
import { TreeStore } from './tree-store.ts';
import { Verification } from './verification.ts';
import type { Verified, VerifyOptions } from './verified.ts';

/**
 * Reads the log up to its present end, makes the tree anew, and compares it with the stored one and with every head. The
 * tree is of what a read of the whole log gives; meanwhile the log's store is searched for events that who reads a stream
 * gets otherwise. Then the snapshots that commands fold on from are compared with their streams. Memory stays level, but for the ids of
 * events that are not audited yet, of a log that may hold one twice (`SeenIds`).
 * @throws LogFailure; what `pg` throws; the signal's reason
 */
export async function verifyLog(options: VerifyOptions): Promise<Verified> {
  const ending = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal;
  const found = Array.fromAsync(options.log.misplacedEvents({ thorough: true, signal }));
  // It is awaited later, or never if the log fails first: its failure must not count as unhandled.
  found.catch(() => undefined);
  try {
    const verified = await compareLog(options);
    const strangeness = await strangenessTo(options.log, options.database);
    const snapshots = await Array.fromAsync(changedSnapshots(options));
    return {
      ...verified,
      strangeness,
      misplaced: [...(await found), ...verified.misplaced],
      changedSnapshots: snapshots,
    };
  } finally {
    ending.abort();
  }
}

async function compareLog(
  options: VerifyOptions,
): Promise<Omit<Verified, 'strangeness' | 'changedSnapshots'>> {
  const { database, kept = [], origin } = options;
  const store = new TreeStore(database);
  const heads = new Heads(database, origin);
  // What is signed after this may be of events that are not read here.
  const lastSigned = await heads.greatestSize();
  const extent = await storedExtent(database);
  // A tree that cannot be the auditor's is not compared with; the heads are.
  const audited = extent.fault === undefined ? extent.events : 0;
  const verification = new Verification(options, store, extent, new ComingHeads(heads, lastSigned, kept));
  const verified = await verification.run();
  const otherOrigins = await otherOriginsThan(database, origin, options.verifier);
  if (verified.difference && (await store.size()) < audited) {
    throw new Error('the index of the log was made again meanwhile: verify again');
  }
  const misdated = await heads.misdated();
  return { ...verified, signaturesVerified: options.verifier !== undefined, otherOrigins, misdated };
}
