import { z } from 'zod';
import { type EventOf, event } from './event.ts';

/** Stream `skip`: an operator's decisions that an event is passed over, by every fold and projection. */
export const skipEvents = [
  /** The event is named by its stream, id and revision, which it keeps when a log is copied; `why` is for those who replay. */
  event(
    'EventSkipped',
    z.object({
      stream: z.string(),
      eventId: z.string(),
      revision: z.int().nonnegative(),
      type: z.string(),
      why: z.string(),
    }),
  ),
] as const;

export type SkipEvent = EventOf<(typeof skipEvents)[number]>;
