import { z } from 'zod';

/** A task for a picture process: re-encode the picture in a file. */
export const PictureTask = z.object({
  file: z.string(),
  target: z.string(),
  /** The most pixels of a side; a larger picture is made smaller. */
  side: z.int().positive().optional(),
});
export type PictureTask = z.infer<typeof PictureTask>;

/** A message from a picture process: that it has started, or how a task ended. */
export const PictureReport = z.discriminatedUnion('type', [
  z.object({ type: z.literal('started') }),
  z.object({ type: z.literal('written'), extension: z.string() }),
  z.object({
    type: z.literal('refused'),
    reason: z.enum(['illegal', 'tooLarge']),
    message: z.string(),
  }),
  z.object({ type: z.literal('failed'), message: z.string(), code: z.string().optional() }),
]);
export type PictureReport = z.infer<typeof PictureReport>;
