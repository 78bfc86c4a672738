import type { ReadingDatabase } from '../../postgres/database.ts';
import { auditorName } from '../index/audit-task.ts';
import { type Hash, sameHash } from '../tree/hashes.ts';
import { type Head, Heads, latestHead } from '../tree/heads.ts';
import { consistencyProof, isConsistent } from '../tree/proofs.ts';
import { subtreesIn } from '../tree/tiles.ts';
import { TreeStore } from '../tree/tree-store.ts';
import type { CopiedTree } from './copied-tree.ts';

/** A signed head with which copied events were compared. */
export interface CoveringHead {
  readonly head: Head;
  /** If the head has more events than the copy: the proof that these are its first ones. */
  readonly consistency: readonly Hash[];
  /** Whether the events are those of the head. */
  readonly fits: boolean;
}

/**
 * The last head; undefined if there is none, or no audit in this database. Its signature is not verified.
 * @param origin the name of the log
 * @throws ChangedHead; what `pg` throws
 */
export async function headBefore(database: ReadingDatabase, origin: string): Promise<Head | undefined> {
  return (await isThereAudit(database)) ? latestHead(database, origin) : undefined;
}

async function isThereAudit(database: ReadingDatabase): Promise<boolean> {
  const { rows } = await database.query<{ there: boolean }>(
    `select to_regclass('audit.heads') is not null as there`,
  );
  return rows[0]?.there ?? false;
}

/**
 * Finds the head that covers the most of what was copied: one that was signed of all of it or more, else the one before.
 * @param origin the name of the log
 * @param before a head of which the copy's tree has the root, unless it has more events
 * @returns undefined if neither is there, or the index does not reach so far
 * @throws what `pg` throws
 */
export async function coveringHead(
  database: ReadingDatabase,
  tree: CopiedTree,
  origin: string,
  before: Head | undefined,
): Promise<CoveringHead | undefined> {
  if (!(await isThereAudit(database))) return undefined;
  const later = await laterHead(database, tree, origin);
  if (later?.fits) return later;
  const root = before && tree.rootAt(before.size);
  if (!root) return later;
  return { head: before, consistency: [], fits: sameHash(root, before.root) };
}

async function laterHead(
  database: ReadingDatabase,
  tree: CopiedTree,
  origin: string,
): Promise<CoveringHead | undefined> {
  const copied = { size: tree.size, root: tree.root() };
  const head = await new Heads(database, origin).next(copied.size - 1);
  const store = new TreeStore(database);
  if (!head || (await store.size()) < head.size) return undefined;
  const consistency = await consistencyProof(subtreesIn(store.readTile), copied.size, head.size);
  return { head, consistency, fits: isConsistent(copied, head, consistency) };
}

/** Whether an auditor is at work: it renews its lease several times a second. */
export class AuditorWatch {
  readonly #database: ReadingDatabase;
  #renewals: string | undefined;
  #since = performance.now();

  constructor(database: ReadingDatabase) {
    this.#database = database;
  }

  /** @param withinMs within which it must have renewed its lease, in milliseconds @throws what `pg` throws */
  async isAtWork(withinMs: number): Promise<boolean> {
    const { rows } = await this.#database.query<{ renewals: string }>(
      `select renewals from followers.lease where name = $1 and holder <> ''`,
      [auditorName],
    );
    const [lease] = rows;
    if (!lease) return false;
    if (lease.renewals !== this.#renewals) {
      this.#renewals = lease.renewals;
      this.#since = performance.now();
    }
    return performance.now() - this.#since < withinMs;
  }
}
