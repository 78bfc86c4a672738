import { categories } from '../../../contracts/events/index.ts';
import type { MisplacedEvent, StreamName } from '../../log/log.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import { withoutRepeats } from '../index/repeats.ts';
import type { ReadableLog } from '../readable-log.ts';
import type { Checkpoint } from './checkpoint.ts';
import { ComingHeads } from './coming-heads.ts';
import { type Difference, nameDifference } from './difference.ts';
import { type FullTile, GrowingTree } from './growing-tree.ts';
import { type Hash, leafHash, sameHash, treeHash } from './hashes.ts';
import { type Head, Heads, isHeadSignedBy, originsOf } from './heads.ts';
import { type HiddenBeginnings, hiddenEvents, type LackingBeginning } from './hidden-events.ts';
import type { NoteVerifier } from './note.ts';
import { tileWidth } from './tiles.ts';
import { type TreeEntry, textOf, treeEntryOf } from './tree-entry.ts';
import { entryLine, TreeStore } from './tree-store.ts';

/** How many events are compared at once: whole tiles. */
const pageEvents = 16 * tileWidth;

/** How many streams are named whose events are hidden. */
const maxHiddenStreams = 100;

export interface VerifyOptions {
  readonly log: ReadableLog;
  /** Where the tree is. */
  readonly database: ReadingDatabase;
  /** Under which name its heads were signed. */
  readonly origin: string;
  /** By whose key the stored heads must be signed; undefined: their signatures are not verified. */
  readonly verifier?: NoteVerifier | undefined;
  /** Heads that were kept elsewhere, whose signatures were verified. */
  readonly kept?: readonly Checkpoint[];
  readonly onRead?: (events: number) => void;
  readonly signal?: AbortSignal;
}

/** What came of it. */
export interface Verified {
  /** How many events the log has, as far as it was read, and the root of their tree. */
  readonly size: number;
  readonly root: Hash;
  /** How many events the stored tree has. */
  readonly audited: number;
  /** How many heads fit, and how many events the greatest of them has. */
  readonly heads: number;
  readonly signed: number;
  /** Whether the signatures of stored heads were verified. */
  readonly signaturesVerified: boolean;
  /** Other names under which heads were signed, with which the log is not compared. */
  readonly otherOrigins: readonly string[];
  /** The first one; the log was not read beyond it. */
  readonly difference: Difference | undefined;
  /** Events that lie where no append puts one, also such as were audited there. */
  readonly misplaced: readonly MisplacedEvent[];
}

/** Whether nothing was found. */
export function isAsItWas({ difference, misplaced }: Verified): boolean {
  return difference === undefined && misplaced.length === 0;
}

/**
 * Reads the log up to its present end, makes the tree anew, and compares it with the stored one and with every head. The
 * tree is of what a read of the whole log gives; meanwhile the log's store is searched for events that who reads a stream
 * gets otherwise. Memory stays level.
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
    return { ...verified, misplaced: await found };
  } finally {
    ending.abort();
  }
}

async function compareLog(options: VerifyOptions): Promise<Omit<Verified, 'misplaced'>> {
  const { database, kept = [], origin } = options;
  const store = new TreeStore(database);
  const heads = new Heads(database, origin);
  // What is signed after this may be of events that are not read here.
  const last = await heads.last();
  const audited = await store.size();
  const verification = new Verification(
    options,
    store,
    audited,
    new ComingHeads(heads, last?.size ?? 0, kept),
  );
  const verified = await verification.run();
  const otherOrigins = (await originsOf(database)).filter((name) => name !== origin);
  if (verified.difference && (await store.size()) < audited) {
    throw new Error('the index of the log was made again meanwhile: verify again');
  }
  return { ...verified, signaturesVerified: options.verifier !== undefined, otherOrigins };
}

/** A page as the index has it. */
interface StoredPage {
  readonly lines: string;
  readonly digests: Buffer;
}

class Verification {
  readonly #options: VerifyOptions;
  readonly #store: TreeStore;
  readonly #heads: ComingHeads;
  readonly #audited: number;
  readonly #tree = new GrowingTree();
  #fitting = 0;
  #signed = 0;

  constructor(options: VerifyOptions, store: TreeStore, audited: number, heads: ComingHeads) {
    this.#options = options;
    this.#store = store;
    this.#audited = audited;
    this.#heads = heads;
  }

  async run(): Promise<Omit<Verified, 'otherOrigins' | 'signaturesVerified' | 'misplaced'>> {
    const difference = await this.#difference();
    return {
      ...{ size: this.#tree.size, root: this.#tree.root(), audited: this.#audited },
      ...{ heads: this.#fitting, signed: this.#signed, difference },
    };
  }

  async #compare(): Promise<Difference | undefined> {
    const { log, onRead, signal } = this.#options;
    let stored = this.#storedPage();
    let page: TreeEntry[] = [];
    for await (const record of log.readAll({ prefixes: categories })) {
      signal?.throwIfAborted();
      page.push(treeEntryOf(record));
      if (page.length < pageEvents) continue;
      page = await this.#withoutRepeats(page);
      if (page.length < pageEvents) continue;
      const difference = await this.#comparePage(page, await stored);
      if (difference) return difference;
      onRead?.(pageEvents);
      page = [];
      stored = this.#storedPage();
    }
    return (
      (await this.#comparePage(await this.#withoutRepeats(page), await stored)) ?? this.#comparePending()
    );
  }

  /** Reads the next page of the index, while that of the log is read. */
  #storedPage(): Promise<StoredPage> {
    const first = this.#tree.size;
    const end = Math.min(first + pageEvents, this.#audited);
    const page = Promise.all([this.#store.lines(first, end), this.#store.digests(first, end)]);
    // It is awaited later, or never if the log fails first: its failure must not count as unhandled.
    page.catch(() => undefined);
    return page.then(([lines, digests]) => ({ lines, digests }));
  }

  /** Without the events that the log holds a second time under one id: only the first is in the tree. */
  async #withoutRepeats(page: readonly TreeEntry[]): Promise<TreeEntry[]> {
    if (this.#options.log.remembersIds === 'forever') return [...page];
    return withoutRepeats(page, await this.#store.known(page, this.#tree.size));
  }

  /** Compares a page with the index, then adds it to the tree. */
  async #comparePage(page: readonly TreeEntry[], stored: StoredPage): Promise<Difference | undefined> {
    const first = this.#tree.size;
    const audited = page.slice(0, Math.max(0, this.#audited - first));
    const same =
      stored.lines === audited.map(entryLine).join('\n') &&
      stored.digests.toString('hex') === audited.map(({ digest }) => digest).join('');
    return (same ? undefined : await this.#firstDifference(page, first)) ?? this.#grow(page);
  }

  /** Names the first difference of a page that is not as the index has it. */
  async #firstDifference(page: readonly TreeEntry[], first: number): Promise<Difference | undefined> {
    const kept = await this.#store.entries(first, Math.min(first + pageEvents, this.#audited));
    for (const [offset, entry] of kept.entries()) {
      const found = page[offset];
      if (found && textOf(found) === textOf(entry)) continue;
      const number = first + offset;
      if (found && (await this.#isIndexWrong(page, kept, first, offset))) {
        return { kind: 'index changed', number, event: found };
      }
      return nameDifference({ log: this.#options.log, store: this.#store }, number, found, entry);
    }
    return undefined;
  }

  /** Whether the log has what the stored tile was made of, and the index has not. */
  async #isIndexWrong(
    page: readonly TreeEntry[],
    kept: readonly TreeEntry[],
    first: number,
    offset: number,
  ): Promise<boolean> {
    const begins = offset - (offset % tileWidth);
    const [tile] = await this.#store.tileHashes(0, (first + begins) / tileWidth, 1);
    if (!tile) return false;
    const hashOf = (entries: readonly TreeEntry[]) =>
      treeHash(entries.slice(begins, begins + tileWidth).map((entry) => leafHash(textOf(entry))));
    return sameHash(hashOf(page), tile) && !sameHash(hashOf(kept), tile);
  }

  /** Adds a page to the tree, which is compared with every head on the way, and with the stored tiles. */
  async #grow(page: readonly TreeEntry[]): Promise<Difference | undefined> {
    const full: FullTile[] = [];
    let head = await this.#heads.peek();
    for (const entry of page) {
      full.push(...this.#tree.append(leafHash(textOf(entry))));
      while (head?.size === this.#tree.size) {
        if (!sameHash(head.root, this.#tree.root())) {
          return (
            (await this.#compareTiles(full)) ?? { kind: 'not the same', from: this.#signed, to: head.size }
          );
        }
        if (!this.#isSigned(head)) {
          return { kind: 'head not signed', origin: head.origin, size: head.size };
        }
        this.#fitting++;
        this.#signed = head.size;
        await this.#heads.pass(head);
        head = await this.#heads.peek();
      }
    }
    return this.#compareTiles(full);
  }

  /** Whether the key of the log has signed a head; the signatures of kept ones are verified already. */
  #isSigned(head: Checkpoint | Head): boolean {
    const { verifier } = this.#options;
    return verifier === undefined || !('note' in head) || isHeadSignedBy(head, verifier);
  }

  async #compareTiles(full: readonly FullTile[]): Promise<Difference | undefined> {
    for (const level of new Set(full.map((tile) => tile.level))) {
      const tiles = full.filter((tile) => tile.level === level);
      const stored = await this.#store.tileHashes(level, tiles[0]?.index ?? 0, tiles.length);
      const different = tiles.find(({ hash }, place) => {
        const kept = stored[place];
        return kept !== undefined && !sameHash(kept, hash);
      });
      const events = tileWidth ** (level + 1);
      if (different)
        return { kind: 'not the same', from: different.index * events, to: (different.index + 1) * events };
    }
    return undefined;
  }

  /** The first difference. What was removed may be one of many events that the store was asked to delete. */
  async #difference(): Promise<Difference | undefined> {
    const difference = await this.#compare();
    if (difference && difference.kind !== 'removed') return difference;
    const hidden = await this.#hidden(difference?.event.stream);
    if (!difference) return hidden && { kind: 'hidden', ...hidden };
    return { ...difference, ...(hidden && { hidden }) };
  }

  /** What the store hides of streams other than one. */
  async #hidden(except?: StreamName): Promise<HiddenBeginnings | undefined> {
    const streams: LackingBeginning[] = [];
    let more = 0;
    for await (const lacking of hiddenEvents(this.#options.log, this.#store)) {
      this.#options.signal?.throwIfAborted();
      if (lacking.stream === except) continue;
      if (streams.length < maxHiddenStreams) streams.push(lacking);
      else more++;
    }
    return streams.length === 0 ? undefined : { streams, more };
  }

  /** Heads of more events than the log has. */
  async #comparePending(): Promise<Difference | undefined> {
    const head = await this.#heads.peek();
    return head && { kind: 'not the same', from: this.#tree.size, to: head.size };
  }
}
