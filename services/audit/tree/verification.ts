import { categories } from '../../../contracts/events/index.ts';
import type { StreamName } from '../../log/log.ts';
import { type FalseRepeat, falseRepeats, partRepeats } from '../index/repeats.ts';
import { SeenIds } from '../index/seen-ids.ts';
import type { ComingHeads } from './coming-heads.ts';
import { ComparedTree } from './compared-tree.ts';
import { type Difference, nameDifference } from './difference.ts';
import { leafHash, sameHash, treeHash } from './hashes.ts';
import { type HiddenBeginnings, hiddenEvents, type LackingBeginning } from './hidden-events.ts';
import type { StoredExtent } from './stored-extent.ts';
import { StrangeEvents } from './strange-events.ts';
import { tileWidth } from './tiles.ts';
import { canonicalText, type TreeEntry, textOf, treeEntryOf } from './tree-entry.ts';
import { entryLine, type TreeStore } from './tree-store.ts';
import type { Verified, VerifyOptions } from './verified.ts';

/** How many events are compared at once: whole tiles. */
const pageEvents = 16 * tileWidth;

/** How many events are named that have the id of another. */
const maxFalseRepeats = 100;

/** How many streams are named whose events are hidden. */
const maxHiddenStreams = 100;

/** A page as the index has it. */
interface StoredPage {
  readonly lines: string;
  readonly digests: Buffer;
}

/** A comparison under way: the log, page by page, beside the index and the tree that are stored of it. */
export class Verification {
  readonly #options: VerifyOptions;
  readonly #store: TreeStore;
  readonly #heads: ComingHeads;
  readonly #extent: StoredExtent;
  readonly #audited: number;
  readonly #tree: ComparedTree;
  /** How many events lie up to the checkpoint of the stored tree. */
  #covered = 0;
  readonly #strange = new StrangeEvents();
  readonly #falseRepeats: FalseRepeat[] = [];
  /** The ids of the pages before that are not audited, of a log that may hold one twice; the index knows the others. */
  readonly #unaudited = new SeenIds();

  constructor(options: VerifyOptions, store: TreeStore, extent: StoredExtent, heads: ComingHeads) {
    this.#options = options;
    this.#store = store;
    this.#extent = extent;
    this.#audited = extent.fault === undefined ? extent.events : 0;
    this.#heads = heads;
    this.#tree = new ComparedTree({ store, heads, verifier: options.verifier, audited: this.#audited });
  }

  /** Reads the log to its end, or to the first difference. @throws LogFailure; what `pg` throws; the signal's reason */
  async run(): Promise<
    Omit<Verified, 'otherOrigins' | 'misdated' | 'signaturesVerified' | 'strangeness' | 'changedSnapshots'>
  > {
    const difference = await this.#difference();
    return {
      ...{ size: this.#tree.size, root: this.#tree.root(), audited: this.#audited },
      ...{ heads: this.#tree.fitting, signed: this.#tree.signed, difference },
      ...{ unread: this.#strange.unread, misplaced: this.#strange.foreign, falseRepeats: this.#falseRepeats },
    };
  }

  async #compare(): Promise<Difference | undefined> {
    const { log, onRead, signal } = this.#options;
    const { checkpoint } = this.#extent;
    let stored = this.#storedPage();
    let page: TreeEntry[] = [];
    for await (const record of log.readAll({ prefixes: categories })) {
      signal?.throwIfAborted();
      const canonical = canonicalText(record);
      page.push(treeEntryOf(record, canonical));
      this.#strange.note(record, canonical);
      if (record.position <= checkpoint) this.#covered++;
      if (page.length < pageEvents) continue;
      const kept = await stored;
      const same = this.#isIndexedSo(page, kept);
      // The index has no repeats, and to look for them takes as long as to read the log.
      if (!same) page = await this.#withoutRepeats(page);
      if (page.length < pageEvents) continue;
      const difference = await (same ? this.#tree.grow(page) : this.#comparePage(page, kept));
      if (difference) return difference;
      onRead?.(pageEvents);
      page = [];
      stored = this.#storedPage();
    }
    return (
      (await this.#comparePage(await this.#withoutRepeats(page), await stored)) ??
      (await this.#tree.comparePending()) ??
      this.#faultOfStored()
    );
  }

  /** Reads the next page of the index, while that of the log is read. */
  #storedPage(): Promise<StoredPage> {
    const first = this.#tree.size;
    const end = Math.min(first + pageEvents, this.#audited);
    const read = Promise.all([this.#store.lines(first, end), this.#store.digests(first, end)]);
    const page = read.then(([lines, digests]) => ({ lines, digests }));
    // It is awaited later, or never if the log fails first: its failure must not count as unhandled.
    page.catch(() => undefined);
    return page;
  }

  /** Whether all events of the next page are audited, and as the index has them. */
  #isIndexedSo(page: readonly TreeEntry[], stored: StoredPage): boolean {
    return this.#tree.size + page.length <= this.#audited && isStoredSo(page, stored);
  }

  /** Without the events that the log holds a second time under one id: only the first is in the tree. */
  async #withoutRepeats(page: readonly TreeEntry[]): Promise<TreeEntry[]> {
    if (this.#options.log.remembersIds === 'forever') return [...page];
    const known = [...(await this.#store.known(page, this.#tree.size)), ...this.#unaudited.known(page)];
    const { firsts, repeats } = partRepeats(page, known);
    for await (const found of falseRepeats(this.#options.log, repeats))
      if (this.#falseRepeats.length < maxFalseRepeats) this.#falseRepeats.push(found);
    return firsts;
  }

  /** Compares a page with the index, then adds it to the tree. */
  async #comparePage(page: readonly TreeEntry[], stored: StoredPage): Promise<Difference | undefined> {
    const first = this.#tree.size;
    const audited = page.slice(0, Math.max(0, this.#audited - first));
    if (this.#options.log.remembersIds === 'recently')
      for (const event of page.slice(audited.length)) this.#unaudited.add(event);
    const difference = isStoredSo(audited, stored) ? undefined : await this.#firstDifference(page, first);
    return difference ?? this.#tree.grow(page);
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
    const beyond = page[kept.length];
    if (beyond === undefined || first + kept.length >= this.#audited) return undefined;
    return { kind: 'index changed', number: first + kept.length, event: beyond };
  }

  /** Whether the log has what was signed, or else what the stored tile was made of, and the index has not. */
  async #isIndexWrong(
    page: readonly TreeEntry[],
    kept: readonly TreeEntry[],
    first: number,
    offset: number,
  ): Promise<boolean> {
    const signed = await this.#tree.isSignedSo(page, offset);
    if (signed !== undefined) return signed;
    const begins = offset - (offset % tileWidth);
    const [tile] = await this.#store.tileHashes(0, (first + begins) / tileWidth, 1);
    if (!tile) return false;
    const hashOf = (entries: readonly TreeEntry[]) =>
      treeHash(entries.slice(begins, begins + tileWidth).map((entry) => leafHash(textOf(entry))));
    return sameHash(hashOf(page), tile) && !sameHash(hashOf(kept), tile);
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

  /** What is wrong with what is stored beside the log, if the log is as it was. */
  #faultOfStored(): Difference | undefined {
    const { changed } = this.#heads;
    if (changed) return { kind: 'head changed', origin: changed.origin, size: changed.size };
    const { fault, events, checkpoint } = this.#extent;
    if (fault !== undefined) return { kind: 'tree changed', what: fault };
    // Events that the log has twice are counted once in the tree.
    if (this.#options.log.remembersIds === 'forever' && this.#covered !== events) {
      const what = `it is of ${events} events, and its checkpoint, ${checkpoint}, is that of ${this.#covered}`;
      return { kind: 'tree changed', what };
    }
    return undefined;
  }
}

/** Whether audited events are as the index has them. */
function isStoredSo(audited: readonly TreeEntry[], { lines, digests }: StoredPage): boolean {
  return (
    lines === audited.map(entryLine).join('\n') &&
    digests.toString('hex') === audited.map(({ digest }) => digest).join('')
  );
}
