import { z } from 'zod';

/**
 * One push of the log, as the bus carries it, and as a row of `pushes.push` that does not name a message. `channel` is the
 * plain name (`user-9`, `group-50`, `global`); subscribers of its `private-` twin get the same.
 */
export const PushRow = z.object({
  channel: z.string(),
  /**
   * The position of the event in the log, and the number of the push among that event's pushes. The copies of a message
   * for two people may have one number.
   */
  place: z.string(),
  number: z.int().nonnegative(),
  event: z.string(),
  /** The payload as JSON text, `position` included. */
  data: z.string(),
  /** The request that caused it, on the bus alone and if requests are traced. */
  request: z.string().exactOptional(),
});
export type PushRow = z.infer<typeof PushRow>;
