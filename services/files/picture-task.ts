import { z } from 'zod';

/** What a picture process is asked: to write the picture of a file anew. */
export const PictureTask = z.object({
  file: z.string(),
  target: z.string(),
  /** The most pixels of a side; a larger picture is made smaller. */
  side: z.int().positive().optional(),
});
export type PictureTask = z.infer<typeof PictureTask>;

/** What a picture process tells: that it has started, and how each task ended. */
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
