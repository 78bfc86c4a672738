import { isDeepStrictEqual } from 'node:util';
import type { Client } from 'pg';
import type { RecordedEvent } from '../../log/log.ts';
import type { ReadableLog } from '../readable-log.ts';
import { judgedRepeats, type Repeat } from './repeats.ts';
import { allStoredRepeats, repeatRowOf, type StoredRepeat } from './stored-repeats.ts';

/** A row that is missing, or is of an event that has not the id of another, or has another value. */
export interface RepeatDifference {
  readonly table: 'repeats';
  readonly position: string;
  readonly event: string;
  readonly fault: 'missing' | 'too many' | 'changed';
}

/** The rows of audit.repeats that the log gives, to be compared with those that are there. */
export class ExpectedRepeats {
  readonly #log: ReadableLog;
  /** Those that were not judged yet. */
  #repeats: Repeat<RecordedEvent>[] = [];
  /** By position. */
  readonly #expected = new Map<string, { readonly row: StoredRepeat; readonly skipped: boolean }>();

  constructor(log: ReadableLog) {
    this.#log = log;
  }

  add(repeat: Repeat<RecordedEvent>): void {
    this.#repeats.push(repeat);
  }

  /** Finds out which of those that were added are false, and forgets the others. @throws LogFailure */
  async judge(): Promise<void> {
    for await (const { skipped, ...found } of judgedRepeats(this.#log, this.#repeats))
      this.#expected.set(found.event.position, { row: repeatRowOf(found), skipped });
    this.#repeats = [];
  }

  /**
   * Compares those that were judged. The row of an event that is skipped stays until the auditor has read the decision.
   * @throws what `pg` throws
   */
  async compare(client: Pick<Client, 'query'>): Promise<RepeatDifference[]> {
    const stored = await allStoredRepeats(client);
    const rows = new Set(stored.map(({ position }) => position));
    return [
      ...stored.flatMap((is) => {
        const expected = this.#expected.get(is.position)?.row;
        if (expected === undefined) return difference(is, 'too many');
        return isDeepStrictEqual({ ...is }, expected) ? [] : difference(expected, 'changed');
      }),
      ...[...this.#expected.values()].flatMap(({ row, skipped }) =>
        skipped || rows.has(row.position) ? [] : difference(row, 'missing'),
      ),
    ];
  }
}

function difference(
  { position, stream, revision }: StoredRepeat,
  fault: RepeatDifference['fault'],
): RepeatDifference {
  return { table: 'repeats', position, event: `${stream}@${revision}`, fault };
}
