import { type Concerns, concernsOf, concernsOfStream } from '../../../contracts/events/concerns.ts';
import { type Decoded, tryDecode, UnreadableEvent } from '../../log/codec.ts';
import type { Json, RecordedEvent } from '../../log/log.ts';

/** Who or what caused an event, as far as its metadata say it. */
export interface Causes {
  /** Who caused it: a uid, `server`, or what else its metadata say. */
  readonly actor: string | null;
  /** The uid for whom the holder of the server's key acted. */
  readonly actedFor: number | null;
  readonly correlation: string | null;
  readonly causation: string | null;
}

/** By what an event is found, beside its place in the log: as much of it as can be read. */
export interface Entry extends Concerns, Causes {
  /** What the name of its stream begins with, up to the first `-`. */
  readonly category: string;
}

/** Longer texts in metadata are none of ours, and are too long for an index of Postgres. */
const maxTextLength = 200;

/**
 * Reads by what an event is found, also of an event that this program cannot read.
 * @param event the record as it was decoded, if it was
 */
export function entryOf(record: RecordedEvent, event: Decoded | UnreadableEvent = tryDecode(record)): Entry {
  return {
    ...(event instanceof UnreadableEvent ? concernsOfStream(record.stream) : concernsOf(event)),
    category: categoryOf(record.stream),
    ...causesOf(record),
  };
}

/** Who or what caused an event. */
export function causesOf({ metadata }: Pick<RecordedEvent, 'metadata'>): Causes {
  return {
    actor: textOf(metadata, 'actor'),
    actedFor: numberOf(metadata, 'for'),
    correlation: textOf(metadata, '$correlationId'),
    causation: textOf(metadata, '$causationId'),
  };
}

/** The category of a stream: `group` of `group-50`, `setting` of `setting`. */
export function categoryOf(stream: string): string {
  return stream.split('-', 1)[0] ?? stream;
}

function textOf(metadata: Json, name: string): string | null {
  const value = metadata[name];
  if (typeof value !== 'string' || value.length > maxTextLength || value.includes('\0')) return null;
  return value;
}

function numberOf(metadata: Json, name: string): number | null {
  const value = metadata[name];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}
