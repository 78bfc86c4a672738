import { z } from 'zod';
import { Gid, Mid, Uid } from '../ids.ts';

/**
 * The pieces that requests are made of (BEHAVIOUR, The envelope). Forms and query strings carry
 * everything as text, so numbers are taken as JSON integers or as ASCII digits.
 */

/** A text that any store and client can carry: no NUL, no lone surrogate. */
export const storable = z
  .string()
  .refine((value) => value.isWellFormed() && !value.includes('\0'), 'has characters that cannot be stored');

/** A storable text. Lengths count characters. */
export function text(least: number, most: number) {
  return storable
    .refine((value) => {
      const { length } = [...value];
      return length >= least && length <= most;
    }, `must have ${least} to ${most} characters`)
    .meta({ minLength: least, maxLength: most });
}

/** A text measured in bytes of UTF-8, at least one. */
export function bytes(most: number) {
  return storable
    .refine((value) => value.length > 0 && Buffer.byteLength(value) <= most, `must have 1 to ${most} bytes`)
    .meta({ minLength: 1, maxLength: most });
}

const digits = z
  .string()
  .regex(/^-?\d{1,16}$/)
  .transform(Number);

/** An integer in a range, by default any from 0 up that survives JSON. */
export function integer(least = 0, most = Number.MAX_SAFE_INTEGER) {
  return z.union([z.number(), digits]).pipe(z.int().min(least).max(most));
}

/** A limit: one above the most is taken as the most. */
export function limit(most: number, byDefault: number) {
  return integer(1)
    .transform((value) => Math.min(value, most))
    .default(byDefault);
}

export const uid = integer(1).pipe(Uid);
export const gid = integer(1).pipe(Gid);
export const mid = integer(1).pipe(Mid);

/** 0 or 1, as a boolean. */
export const flag = integer(0, 1).transform((value) => value === 1);

/** One of some texts. */
export function oneOf<const Value extends string>(...values: readonly [Value, ...Value[]]) {
  return z.enum(values);
}

/**
 * A list of uids, at least so many and at most 1,000: `members[]=1&members[]=2`, `members[0]=1`,
 * `members=1`, `[1, 2]`.
 */
function listOfUids(least: number) {
  return z
    .preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(uid).min(least).max(1000))
    .meta({ items: 'uid' });
}

export const uids = listOfUids(1);
export const anyUids = listOfUids(0);

/** 11 digits that begin with 1; may arrive as a number. */
export const phone = z.union([z.string(), z.int().transform(String)]).pipe(z.string().regex(/^1\d{10}$/));

/** The 6 digits of an SMS; may arrive as a number. */
export const smsCode = z.union([z.string(), z.int().transform(String)]).pipe(z.string().regex(/^\d{6}$/));

export const username = z.string().regex(/^[A-Za-z0-9]{2,32}$/);
export const password = text(6, 128);
export const nickname = text(1, 64);

/** Avatar, sign, remark, postscript: may be empty, and then mean just that. */
export function mayBeEmpty(most = 255) {
  return text(0, most).meta({ mayBeEmpty: true });
}

/** The kinds of chats, by what stands at their other end. */
export const chatType = oneOf('friend', 'group');

/** Who acts: may be left out where a token says it, and must be the token's own (BEHAVIOUR, Who may call). */
export const loginUid = uid.optional();
