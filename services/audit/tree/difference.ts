import { LogFailure, type RecordedEvent } from '../../log/log.ts';
import type { ReadableLog } from '../readable-log.ts';
import { type HiddenBeginnings, type LackingBeginning, lackingBeginning } from './hidden-events.ts';
import type { TreeEntry } from './tree-entry.ts';
import type { TreeStore } from './tree-store.ts';

/** What the log holds otherwise than its tree says. */
export type Difference =
  /** The event is there, but not as it was: `what` names what is different. */
  | { readonly kind: 'changed'; readonly number: number; readonly event: TreeEntry; readonly what: string }
  /**
   * The event is not there any more; `instead` is in its place, if another event is; `lacking` if it is one of several
   * that its stream lacks from its beginning on; `hidden` if the store hides the beginnings of other streams.
   */
  | {
      readonly kind: 'removed';
      readonly number: number;
      readonly event: TreeEntry;
      readonly instead?: TreeEntry;
      readonly lacking?: LackingBeginning;
      readonly hidden?: HiddenBeginnings;
    }
  /** The event was not there when its neighbours were audited. */
  | { readonly kind: 'inserted'; readonly number: number; readonly event: TreeEntry }
  /** The event lies elsewhere: it was event number `from`. */
  | { readonly kind: 'moved'; readonly number: number; readonly event: TreeEntry; readonly from: number }
  /** The log has all events, but the store hides those of some streams from who reads them. */
  | ({ readonly kind: 'hidden' } & HiddenBeginnings)
  /** The log is as it was; the index of it was changed. */
  | { readonly kind: 'index changed'; readonly number: number; readonly event: TreeEntry }
  /** The log is as it was; the rows of the stored tree cannot be those of it. `what` says why. */
  | { readonly kind: 'tree changed'; readonly what: string }
  /** The note of the stored head of `size` events is none, or is that of another head. */
  | { readonly kind: 'head changed'; readonly origin: string; readonly size: number }
  /** The stored head of `size` events is not signed by the key of the log. */
  | { readonly kind: 'head not signed'; readonly origin: string; readonly size: number }
  /** Events of these numbers, `to` not included, are not what they were, or are missing; nothing says which. */
  | { readonly kind: 'not the same'; readonly from: number; readonly to: number };

/** How far from where it was an event is looked for in its stream. */
const maxDistance = 1_000;

/** Where differences are looked up. */
interface Compared {
  readonly log: Pick<ReadableLog, 'readAll' | 'readStream'>;
  readonly store: TreeStore;
}

/**
 * Names what is different at a number where the log and its index differ for the first time.
 * @param found what the log has there; undefined if it ends before
 * @param kept what the index has there
 * @throws LogFailure; what `pg` throws
 */
export async function nameDifference(
  { log, store }: Compared,
  number: number,
  found: TreeEntry | undefined,
  kept: TreeEntry,
): Promise<Difference> {
  if (found === undefined) return removed({ log, store }, number, kept);
  if (found.id === kept.id && found.stream === kept.stream) {
    return { kind: 'changed', number, event: found, what: changesOf(found, kept) };
  }
  const [from, remains] = await Promise.all([store.numberOf(found), isInLog(log, kept)]);
  if (from === undefined && remains) return { kind: 'inserted', number, event: found };
  if (from === undefined) return { ...(await removed({ log, store }, number, kept)), instead: found };
  if (!remains) return removed({ log, store }, number, kept);
  return { kind: 'moved', number, event: found, from };
}

async function removed(
  { log, store }: Compared,
  number: number,
  event: TreeEntry,
): Promise<Difference & { readonly kind: 'removed' }> {
  const lacking = await unlessRefused(() => lackingBeginning(log, store, event.stream));
  return { kind: 'removed', number, event, ...(lacking && lacking.events > 1 && { lacking }) };
}

function changesOf(found: TreeEntry, kept: TreeEntry): string {
  const names = { digest: 'data or metadata', recorded: 'time', revision: 'revision', type: 'type' } as const;
  const changed = (['digest', 'recorded', 'revision', 'type'] as const).filter(
    (name) => found[name] !== kept[name],
  );
  return changed.map((name) => names[name]).join(', ');
}

async function isInLog(log: Compared['log'], event: TreeEntry): Promise<boolean> {
  const { stream, revision } = event;
  const near = { from: Math.max(0, revision - maxDistance), limit: 2 * maxDistance };
  const inStream = await unlessRefused(() => isAmong(log.readStream(stream, near), event));
  return inStream ?? isAmong(log.readAll({ prefixes: [stream] }), event);
}

async function isAmong(records: AsyncIterable<RecordedEvent>, { id, stream }: TreeEntry): Promise<boolean> {
  for await (const record of records) {
    if (record.id === id && record.stream === stream) return true;
  }
  return false;
}

/**
 * What reading a stream gives; undefined if the store refuses it, as EventStoreDB does with one that lacks an event in
 * the middle. The whole log it reads all the same.
 */
async function unlessRefused<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof LogFailure) return undefined;
    throw error;
  }
}
