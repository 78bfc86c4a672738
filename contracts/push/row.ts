import { z } from 'zod';

/**
 * One push that comes from the log, as the table `push` keeps it and the bus carries it. `channel`
 * is the plain name: `user-9`, `group-50`, `global`; its `private-` twin hears the same.
 */
export const PushRow = z.object({
  channel: z.string(),
  /** The position of the event in the log, and a running number among the pushes of that event. */
  place: z.string(),
  number: z.int().nonnegative(),
  event: z.string(),
  /** The payload as JSON text, `position` included. */
  data: z.string(),
});
export type PushRow = z.infer<typeof PushRow>;
