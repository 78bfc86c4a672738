import { setTimeout as delay } from 'node:timers/promises';
import { CopiedTree } from '../../services/audit/copy/copied-tree.ts';
import type { Copied } from '../../services/audit/copy/copy-log.ts';
import {
  AuditorWatch,
  type CoveringHead,
  coveringHead,
  headBefore,
} from '../../services/audit/copy/covering-head.ts';
import { finishExport } from '../../services/audit/copy/export-record.ts';
import { coverageInWords } from '../../services/audit/copy/held-export.ts';
import { findAuditSigner } from '../../services/audit/tree/audit-key.ts';
import { type Head, isHeadSignedBy } from '../../services/audit/tree/heads.ts';
import { verifierKey, verifierOf } from '../../services/audit/tree/note.ts';
import { type Environment, readEnvironment } from '../../services/environment.ts';
import { reasonOf } from '../../services/error-reason.ts';
import type { LogPlace } from '../../services/log/open.ts';
import type { ReadingDatabase } from '../../services/postgres/database.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { interruptible } from '../cli/interruption.ts';

/** How long the head that covers the last events is waited for, in milliseconds: one is signed every 10 s. */
const maxWaitMs = 20_000;

/** How often it is looked for, in milliseconds. */
const lookEveryMs = 500;

/** Within which an auditor that is at work renews its lease, in milliseconds. */
const atWorkMs = 3_000;

/**
 * Copies the log into a folder, and writes beside the events what they are held against when they are imported: their
 * hashes, and the signed head that covers the most of them. While an auditor is at work, its next head is waited for.
 * @param copy copies the events, whose leaves are added to the tree
 * @param leftOut how many events it left out
 * @throws Error if the log is not what was signed, after the folder is complete; what `copy` throws; FileFailure
 */
export async function exportToFolder(
  own: LogPlace,
  folder: string,
  copy: (tree: CopiedTree) => Promise<Copied>,
  leftOut: () => number,
  print: (copied: Copied, more: string) => void,
): Promise<void> {
  const environment = readEnvironment();
  await withHeads(own, async (heads) => {
    const before = await heads.ask((database) => headBefore(database, environment.auditOrigin));
    const tree = new CopiedTree(before ? [before.size] : []);
    const copied = await copy(tree);
    const find = () => heads.ask((database) => coveringHead(database, tree, environment.auditOrigin, before));
    const finish = async (covering: CoveringHead | undefined) =>
      finishExport(folder, {
        ...{ events: tree.size, root: tree.root(), tiles: tree.tiles(), leftOut: leftOut() },
        head: covering ? await shown(covering, environment) : null,
      });
    let covering = await find();
    await finish(covering);
    if (isToCome(covering, tree)) {
      covering = (await heads.ask((database) => nextHead(database, tree, find))) ?? covering;
      await finish(covering);
    }
    print(copied, coverageInWords(tree.size, covering?.fits ? covering.head : undefined));
    if (covering && !covering.fits) throw new Error(contradiction(covering.head));
  });
}

function isToCome(covering: CoveringHead | undefined, tree: CopiedTree): boolean {
  return covering === undefined || (covering.fits && covering.head.size < tree.size);
}

function contradiction({ origin, size }: Head): string {
  return (
    `the folder holds what the log holds, but that is not what ${origin} signed a head of ${size} events of, so that the ` +
    'folder is not imported: npm run verify says what is different'
  );
}

/** Waits for the next head while an auditor is at work. */
async function nextHead(
  database: ReadingDatabase,
  tree: CopiedTree,
  find: () => Promise<CoveringHead | undefined>,
): Promise<CoveringHead | undefined> {
  const signal = interruptible();
  const auditor = new AuditorWatch(database);
  const until = performance.now() + maxWaitMs;
  let covering = await find();
  while (isToCome(covering, tree) && performance.now() < until && (await auditor.isAtWork(atWorkMs))) {
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    covering = await find();
  }
  return covering;
}

async function shown({ head, consistency }: CoveringHead, environment: Environment) {
  const signer = await findAuditSigner(environment);
  const verifier = signer && verifierOf(signer);
  const signed = verifier !== undefined && isHeadSignedBy(head, verifier);
  return { note: head.note, verifier: signed ? verifierKey(verifier) : null, consistency: [...consistency] };
}

/** Asks the database of the signed heads; what cannot be asked is said on stderr once, and counts as not there. */
class HeadsDatabase {
  readonly #database: ReadingDatabase | undefined;
  #failed = false;

  constructor(database: ReadingDatabase | undefined) {
    this.#database = database;
  }

  async ask<Answer>(question: (database: ReadingDatabase) => Promise<Answer>): Promise<Answer | undefined> {
    if (!this.#database || this.#failed) return undefined;
    try {
      return await question(this.#database);
    } catch (error) {
      this.#failed = true;
      process.stderr.write(`export: the signed heads of the log cannot be read: ${reasonOf(error)}\n`);
      return undefined;
    }
  }
}

async function withHeads(
  { databaseUrl, logger }: LogPlace,
  use: (heads: HeadsDatabase) => Promise<void>,
): Promise<void> {
  if (databaseUrl === undefined) return use(new HeadsDatabase(undefined));
  const pool = createPool(databaseUrl, logger);
  try {
    await use(new HeadsDatabase(pool));
  } finally {
    await pool.end();
  }
}
