import { z } from 'zod';
import { type CodeName, codes } from '../codes.ts';
import { nothing } from './user.ts';

/** The answer of a call that was carried out. */
export function doneWith<Data extends z.ZodType>(data: Data) {
  return z.object({ code: z.literal(0), msg: z.literal('ok'), data });
}

/** The answer of a call that was refused for one of these reasons. */
export function refusedFor(reasons: readonly CodeName[]) {
  const numbers = new Set(reasons.map((reason) => codes[reason].code));
  return z.object({ code: z.literal([...numbers]), msg: z.string(), data: nothing });
}
