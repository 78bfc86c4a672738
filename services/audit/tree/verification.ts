import { categories } from '../../../contracts/events/index.ts';
import type { MisplacedEvent, RecordedEvent, StreamName } from '../../log/log.ts';
import { type FalseRepeat, falseRepeats, partRepeats } from '../index/repeats.ts';
import { SeenIds } from '../index/seen-ids.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { ComingHeads } from './coming-heads.ts';
import { type Difference, nameDifference } from './difference.ts';
import { foreignnessOf } from './foreign-event.ts';
import { type FullTile, GrowingTree } from './growing-tree.ts';
import { leafHash, sameHash, treeHash } from './hashes.ts';
import { type Head, isHeadSignedBy } from './heads.ts';
import { type HiddenBeginnings, hiddenEvents, type LackingBeginning } from './hidden-events.ts';
import type { StoredExtent } from './stored-extent.ts';
import { tileWidth } from './tiles.ts';
import { canonicalText, type TreeEntry, textOf, treeEntryOf } from './tree-entry.ts';
import { entryLine, type TreeStore } from './tree-store.ts';
import { type UnreadEvent, unreadTexts } from './unread-text.ts';
import type { Verified, VerifyOptions } from './verified.ts';

/** How many events are compared at once: whole tiles. */
const pageEvents = 16 * tileWidth;

/** How many events are named that have the id of another. */
const maxFalseRepeats = 100;

/** How many streams are named whose events are hidden. */
const maxHiddenStreams = 100;

/** How many events are named whose texts hold what reading them leaves out. */
const maxUnread = 100;

/** How many events are named that no version of the program appended where they lie. */
const maxForeign = 100;

/** A page as the index has it. */
interface StoredPage {
  readonly lines: string;
  readonly digests: Buffer;
}

/** A comparison under way: the tree of the log as it grows, beside what is stored of it. */
export class Verification {
  readonly #options: VerifyOptions;
  readonly #store: TreeStore;
  readonly #heads: ComingHeads;
  readonly #extent: StoredExtent;
  readonly #audited: number;
  readonly #tree = new GrowingTree();
  #fitting = 0;
  #signed = 0;
  /** How many events lie up to the checkpoint of the stored tree. */
  #covered = 0;
  readonly #unread: UnreadEvent[] = [];
  /** The first events that nobody but who writes past the program appends to their streams. */
  readonly #foreign: MisplacedEvent[] = [];
  readonly #falseRepeats: FalseRepeat[] = [];
  /** The ids of the pages before that are not audited, of a log that may hold one twice; the index knows the others. */
  readonly #unaudited = new SeenIds();
  /** The first stored tile that is not that of the events that it is of. */
  #doubtful: Range | undefined;

  constructor(options: VerifyOptions, store: TreeStore, extent: StoredExtent, heads: ComingHeads) {
    this.#options = options;
    this.#store = store;
    this.#extent = extent;
    this.#audited = extent.fault === undefined ? extent.events : 0;
    this.#heads = heads;
  }

  async run(): Promise<
    Omit<Verified, 'otherOrigins' | 'signaturesVerified' | 'strangeness' | 'changedSnapshots'>
  > {
    const difference = await this.#difference();
    return {
      ...{ size: this.#tree.size, root: this.#tree.root(), audited: this.#audited },
      ...{ heads: this.#fitting, signed: this.#signed, difference, unread: this.#unread },
      ...{ misplaced: this.#foreign, falseRepeats: this.#falseRepeats },
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
      this.#noteTexts(record, canonical);
      this.#notePlace(record);
      if (record.position <= checkpoint) this.#covered++;
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
      (await this.#comparePage(await this.#withoutRepeats(page), await stored)) ??
      (await this.#comparePending()) ??
      this.#faultOfStored()
    );
  }

  #noteTexts(record: RecordedEvent, canonical: string): void {
    const texts = unreadTexts(record, canonical);
    if (texts.length === 0 || this.#unread.length >= maxUnread) return;
    const { stream, revision, type, recorded } = record;
    this.#unread.push({ event: { stream, revision, type, recorded }, texts });
  }

  #notePlace(record: RecordedEvent): void {
    const misplacement = foreignnessOf(record);
    if (misplacement === undefined || this.#foreign.length >= maxForeign) return;
    const { stream, revision, position, type } = record;
    this.#foreign.push({ misplacement, stream, revision: String(revision), position, type });
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
    const beyond = page[kept.length];
    if (beyond === undefined || first + kept.length >= this.#audited) return undefined;
    return { kind: 'index changed', number: first + kept.length, event: beyond };
  }

  /**
   * Whether a head that was signed for the event of a page at `offset` fits what the log has; undefined if there is none
   * among the heads that are for events of this page.
   */
  async #isSignedSo(page: readonly TreeEntry[], first: number, offset: number): Promise<boolean | undefined> {
    const tree = this.#tree.copy();
    for (;;) {
      const head = await this.#heads.peek();
      if (head === undefined || head.size > first + page.length) return undefined;
      for (const entry of page.slice(tree.size - first, head.size - first))
        tree.append(leafHash(textOf(entry)));
      const fits = sameHash(head.root, tree.root()) && this.#isSigned(head);
      if (!fits || head.size > first + offset) return fits;
      await this.#heads.pass(head);
    }
  }

  /** Whether the log has what was signed, or else what the stored tile was made of, and the index has not. */
  async #isIndexWrong(
    page: readonly TreeEntry[],
    kept: readonly TreeEntry[],
    first: number,
    offset: number,
  ): Promise<boolean> {
    const signed = await this.#isSignedSo(page, first, offset);
    if (signed !== undefined) return signed;
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
          const from = this.#signed;
          const range = this.#doubtful ?? (await this.#changedTile(full)) ?? { from, to: head.size };
          return { kind: 'not the same', ...range };
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
    this.#doubtful ??= await this.#changedTile(full);
    // Until a head was signed for these events, it may be the log that was changed, and the index like it.
    return this.#doubtful && this.#doubtful.to <= this.#signed
      ? { kind: 'tree changed', what: tileFault(this.#doubtful) }
      : undefined;
  }

  /** Whether the key of the log has signed a head; the signatures of kept ones are verified already. */
  #isSigned(head: Checkpoint | Head): boolean {
    const { verifier } = this.#options;
    return verifier === undefined || !('note' in head) || isHeadSignedBy(head, verifier);
  }

  /** The first of some full tiles that is stored otherwise, or not at all while its events are audited. */
  async #changedTile(full: readonly FullTile[]): Promise<Range | undefined> {
    for (const level of new Set(full.map((tile) => tile.level))) {
      const tiles = full.filter((tile) => tile.level === level);
      const events = tileWidth ** (level + 1);
      const stored = await this.#store.storedTiles(level, tiles[0]?.index ?? 0, tiles.length);
      const changed = tiles.find(({ hash, index }) => {
        const kept = stored.get(index);
        return kept === undefined ? (index + 1) * events <= this.#audited : !sameHash(kept, hash);
      });
      if (changed) return { from: changed.index * events, to: (changed.index + 1) * events };
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

  /** Heads of more events than the log has, and tiles for which no head was signed. */
  async #comparePending(): Promise<Difference | undefined> {
    if (this.#doubtful) return { kind: 'not the same', ...this.#doubtful };
    const head = await this.#heads.peek();
    return head && { kind: 'not the same', from: this.#tree.size, to: head.size };
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

/** Events from number `from` up to, but not including, `to`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

function tileFault({ from, to }: Range): string {
  return `the log has what was signed, and the hash of the events from ${from} to ${to - 1} is another or is missing`;
}
