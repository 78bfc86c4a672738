import { z } from 'zod';
import type { EventId, RecordedEvent, StreamName } from '../../log/log.ts';
import { ParsedObject } from '../tree/parsed-object.ts';

/** An event as it is in any store: without its position, which is that of one. */
export type CopiedEvent = Omit<RecordedEvent, 'position' | 'raw'>;

/** An event in a line of a file. */
const Line = z.object({
  stream: z.string().transform((stream) => stream as StreamName),
  revision: z.int().nonnegative(),
  id: z.string().transform((id) => id as EventId),
  type: z.string(),
  recorded: z.int(),
  data: ParsedObject,
  metadata: ParsedObject,
});

/** An event as a line of JSON. */
export function lineOf({ stream, revision, id, type, recorded, data, metadata }: CopiedEvent): string {
  return `${JSON.stringify({ stream, revision, id, type, recorded, data, metadata })}\n`;
}

/** A line that says more, or says it otherwise, than `lineOf` writes of the event that is read from it. */
export class OtherLine extends Error {
  override readonly name = 'OtherLine';
}

/**
 * Reads a line, without its line break. Hashes are of what is read, and say nothing of what reading leaves out.
 * @throws OtherLine; Error if it is no event
 */
export function eventIn(line: string): CopiedEvent {
  const event = Line.parse(JSON.parse(line));
  if (lineOf(event) === `${line}\n`) return event;
  throw new OtherLine(
    'it is not written as an export writes it: it holds what reading it leaves out, such as the first of two values of one ' +
      'key or a key that no event has, or was written by another program',
  );
}
