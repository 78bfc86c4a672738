import { type Position, startOfLog } from '../log.ts';

/** A position as EventStoreDB has it: two byte offsets in its transaction file. */
export interface StoredPosition {
  readonly commit: bigint;
  readonly prepare: bigint;
}

/** Enough for a signed 64-bit number. */
const digits = 19;

/** Both offsets padded to a fixed width, so that positions compare as strings. */
export function positionOf({ commit, prepare }: Record<keyof StoredPosition, bigint | string>): Position {
  return `${String(commit).padStart(digits, '0')}-${String(prepare).padStart(digits, '0')}` as Position;
}

/**
 * The inverse of `positionOf`; `undefined` for the start of the log.
 * @throws TypeError for a position of another kind of log
 */
export function storedPositionOf(position: Position): StoredPosition | undefined {
  if (position === startOfLog) return undefined;
  const [, commit, prepare] = /^(\d{19})-(\d{19})$/.exec(position) ?? [];
  if (commit === undefined || prepare === undefined) {
    throw new TypeError(`not a position of an EventStoreDB log: ${position}`);
  }
  return { commit: BigInt(commit), prepare: BigInt(prepare) };
}
