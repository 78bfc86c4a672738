import { z } from 'zod';
import type { EventId, RecordedEvent, StreamName } from '../../log/log.ts';

/** An event as it is in any store: without its position, which is that of one. */
export type CopiedEvent = Omit<RecordedEvent, 'position' | 'raw'>;

const json = z.record(z.string(), z.unknown());

/** An event in a line of a file. */
const Line = z.object({
  stream: z.string().transform((stream) => stream as StreamName),
  revision: z.int().nonnegative(),
  id: z.string().transform((id) => id as EventId),
  type: z.string(),
  recorded: z.int(),
  data: json,
  metadata: json,
});

/** An event as a line of JSON. */
export function lineOf({ stream, revision, id, type, recorded, data, metadata }: CopiedEvent): string {
  return `${JSON.stringify({ stream, revision, id, type, recorded, data, metadata })}\n`;
}

/** Reads a line. @throws Error if it is no event */
export function eventIn(line: string): CopiedEvent {
  return Line.parse(JSON.parse(line));
}
