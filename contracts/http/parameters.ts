import { z } from 'zod';
import { Gid, Mid, Uid } from '../ids.ts';
import { isShowableName } from './name.ts';

/*
 * The types of parameters (docs/behaviour.md, The envelope). Forms and query strings carry everything as text, so
 * numbers may be JSON integers or ASCII digits. `shown` in their metadata is how the API's page shows them.
 */

/** A text that every store and client can hold: no NUL, no lone surrogate. */
export const storable = z
  .string()
  .refine((value) => value.isWellFormed() && !value.includes('\0'), 'has characters that cannot be stored');

/** A storable text. Lengths count characters. */
export function text(min: number, max: number) {
  return storable
    .refine((value) => {
      const { length } = [...value];
      return length >= min && length <= max;
    }, `must have ${min} to ${max} characters`)
    .meta({ shown: { type: 'string', minLength: min, maxLength: max } });
}

/** A text measured in bytes of UTF-8, at least one. */
export function bytes(max: number) {
  return storable
    .refine((value) => value.length > 0 && Buffer.byteLength(value) <= max, `must have 1 to ${max} bytes`)
    .meta({ shown: { type: 'string', minLength: 1, 'x-maxBytes': max } });
}

const digits = z
  .string()
  .regex(/^-?\d{1,16}$/)
  .transform(Number);

/** An integer in a range, by default from 0 to 2^53 - 1. */
export function integer(min = 0, max = Number.MAX_SAFE_INTEGER) {
  return z
    .union([z.number(), digits])
    .pipe(z.int().min(min).max(max))
    .meta({ shown: { type: 'integer', minimum: min, maximum: max } });
}

/** The size of a page; one above `max` counts as `max`. */
export function limitOf(max: number) {
  return integer(1)
    .transform((value) => Math.min(value, max))
    .meta({ shown: { type: 'integer', minimum: 1 }, description: `最多多少条,超过${max}按${max}` });
}

/** The size of a page, with a default. */
export function limit(max: number, byDefault: number) {
  return limitOf(max).default(byDefault);
}

/** How many elements of a list come before the page. */
export const start = integer(0, 1_000_000_000).describe('从第几条之后开始,用于翻页').default(0);

const shownId = { shown: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } };

export const uid = integer(1).pipe(Uid).meta(shownId);
export const gid = integer(1)
  .pipe(Gid)
  .meta({ ...shownId, description: '群组gid' });
/** The gid of a new group: as many digits as a random one has, so that trying all of them does not pay. */
export const newGid = integer(100_000_000, 999_999_999)
  .pipe(Gid)
  .meta({
    shown: { type: 'integer', minimum: 100_000_000, maximum: 999_999_999 },
    description: '新群组的gid,9位数字,不能与uniqueId同时传递;只有服务端密钥可以指定,省略时随机',
  });
export const mid = integer(1)
  .pipe(Mid)
  .meta({ ...shownId, description: '消息mid' });

/** 0 or 1, as a boolean. */
export const flag = integer(0, 1)
  .transform((value) => value === 1)
  .meta({ shown: { type: 'integer', enum: [0, 1] } });

/** One of some texts. */
export function oneOf<const Value extends string>(...values: readonly [Value, ...Value[]]) {
  return z.enum(values);
}

/** Elements of a list; checked before any of them is read. */
export const maxListed = 1000;

/** A list of at most `maxListed` elements of any type. */
export const boundedList = z.custom<readonly unknown[]>(
  (value) => Array.isArray(value) && value.length <= maxListed,
  `must be a list of at most ${maxListed} elements`,
);

/**
 * A list of uids, from `min` to 1,000: `members[]=1&members[]=2`, `members[0]=1`,
 * `members=1`, `[1, 2]`.
 */
function listOfUids(min: number) {
  return z
    .preprocess((value) => (Array.isArray(value) ? value : [value]), boundedList.pipe(z.array(uid).min(min)))
    .meta({ shown: { type: 'array', items: shownId.shown, minItems: min, maxItems: maxListed } });
}

/** One gid or several, at most 100: `gid=1`, `gid[]=1&gid[]=2`, `[1, 2]`. */
export const gids = z
  .preprocess(
    (value) => (Array.isArray(value) ? value : [value]),
    z
      .array(z.unknown())
      .max(100)
      .pipe(z.array(integer(1).pipe(Gid)).min(1)),
  )
  .meta({
    shown: { type: 'array', items: shownId.shown, minItems: 1, maxItems: 100 },
    description: '群组gid,或多个gid的数组',
  });

export const uids = listOfUids(1);
export const anyUids = listOfUids(0);

/** Up to 1,000 uids in one text, separated by commas: `9,10`; may be empty. */
export const listedUids = z
  .preprocess(
    (value) => (typeof value === 'string' ? value.split(',').filter((uid) => uid !== '') : value),
    z.array(uid).max(1000),
  )
  .meta({ shown: { type: 'string', pattern: '^(\\d+(,\\d+)*)?$' } });

/** 11 digits that begin with 1; may arrive as a number. */
export const phone = z
  .union([z.string(), z.int().transform(String)])
  .pipe(z.string().regex(/^1\d{10}$/))
  .meta({ shown: { type: 'string', pattern: '^1\\d{10}$' }, description: '手机号码' });

/** The 6 digits of an SMS; may arrive as a number. */
export const smsCode = z
  .union([z.string(), z.int().transform(String)])
  .pipe(z.string().regex(/^\d{6}$/))
  .meta({ shown: { type: 'string', pattern: '^\\d{6}$' }, description: '手机验证码' });

export const username = z
  .string()
  .regex(/^[A-Za-z0-9]{2,32}$/)
  .describe('登录名,字母和数字,不区分大小写');
export const password = text(6, 128).describe('密码');
/** A name that others see: visible, on one line. */
function shownName() {
  return text(1, 64).refine(isShowableName, 'must be visible, on one line');
}

export const nickname = shownName().describe('昵称');
export const groupname = shownName().describe('群组名称');

/** Avatar, sign, remark, postscript: an empty text is a value. */
export function mayBeEmpty(max = 255) {
  return text(0, max);
}

/** The kinds of chats: with another person, or in a group. */
export const chatType = oneOf('friend', 'group').describe('类型:group群组,friend好友');

/** Who acts: with a token it may be missing, and else must be the token's owner (docs/behaviour.md, Who may call). */
export const loginUid = uid
  .describe('当前登录用户uid;使用用户token时可省略,使用服务端密钥时表示代表谁调用')
  .optional();
