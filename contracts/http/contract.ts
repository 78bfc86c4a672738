import { z } from 'zod';
import { type CodeName, Refusal, statusOf } from '../codes.ts';

/** Each call of the API is served under each of these. */
export const apiPrefixes = ['/api', '/web', '/h5'];

/** Who may make a call (docs/behaviour.md, Who may call). */
export type Access =
  /** Anyone; a valid token or key is recognised. */
  | 'open'
  /** A user's token, or the server's key, with or without `login_uid`. */
  | 'known'
  /** A user's token, or the server's key with `login_uid`. */
  | 'user'
  /** The server's key with `login_uid`: a user's token is refused. */
  | 'server as user'
  /** The server's key alone. */
  | 'server';

/** A valid request, which does what it says in an installation that `npm run demo` has filled. */
export interface Example {
  /** Without a file. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The data of its answer, unless that is a picture. */
  readonly data?: unknown;
  /** What the request takes from elsewhere, such as an SMS code; the API page says it. */
  readonly needs?: string;
}

/** One call of the API: the source of its validation, its handler's types and its documentation. */
export interface Contract<Parameters extends z.ZodObject = z.ZodObject, Data extends z.ZodType = z.ZodType> {
  /** Without prefix: `/user/get` is served under /api, /web and /h5. */
  readonly path: `/${string}`;
  /** It is served under its path alone: for those who operate or develop, not for clients. */
  readonly unprefixed?: true;
  readonly methods: readonly ['GET' | 'POST', ...('GET' | 'POST')[]];
  /** It changes something, although it may be made by GET. */
  readonly changes?: true;
  /** It only reads, although it is made by POST. */
  readonly reads?: true;
  /** A command on many people, although its parameters do not name them. */
  readonly large?: true;
  readonly access: Access;
  readonly summary: string;
  /** The document of the original API has nothing like it; the page says so. */
  readonly ours?: true;
  /** The call of which this is another name, for clients of the original product. */
  readonly aliasOf?: string;
  /** What it may be refused for, besides the reasons of every call: all that are answered with the status 200. */
  readonly refuses?: readonly CodeName[] | undefined;
  readonly example: Example;
  /** In the order in which they are checked: that of the original API, if it has the call. */
  readonly parameters: Parameters;
  /** The request is multipart with a `file`, which is limited by the settings of this kind. */
  readonly upload?: 'image' | 'file';
  /** Parameters that it does not have are refused, where other calls ignore them: who asks about the past must know what was asked. */
  readonly strict?: true;
  /** Of a body without a file; by default 256 KB, or 16 KB if anyone may call. */
  readonly maxBytes?: number;
  /** The answer is a picture of this type instead of the envelope. */
  readonly picture?: 'image/png' | 'image/jpeg';
  readonly data: Data;
}

/** Defines a call. */
export function contract<Parameters extends z.ZodObject, Data extends z.ZodType>(
  definition: Contract<Parameters, Data>,
): Contract<Parameters, Data> {
  return definition;
}

/** What a call's path is served behind. */
export function prefixesOf({ unprefixed }: Pick<Contract, 'unprefixed'>): readonly string[] {
  return unprefixed ? [''] : apiPrefixes;
}

/** Whether a call only reads, so that it can be answered while commands are refused. */
export function isQuery({
  methods,
  changes,
  reads,
}: Pick<Contract, 'methods' | 'changes' | 'reads'>): boolean {
  return reads === true || (methods.includes('GET') && changes !== true);
}

/** Every reason for which a call may be refused with the status 200. */
export function refusalsOf({
  access,
  parameters,
  refuses = [],
}: Pick<Contract, 'access' | 'parameters' | 'refuses'>): readonly CodeName[] {
  const general: readonly CodeName[] = [
    ...(access === 'open' ? [] : (['notLoggedIn'] as const)),
    ...(Object.keys(parameters.shape).length === 0 ? [] : (['missing'] as const)),
    // Also without parameters: the key of the server, or X-Position, may be wrong.
    'illegal',
  ];
  return [...general, ...refuses].filter((reason) => statusOf(reason) === 200);
}

/**
 * Reads a request's parameters, one after the other in the contract's order.
 * @param strict whether a refusal also says what would be right
 * @throws Refusal missing or illegal, naming the parameter
 */
export function readParameters<Parameters extends z.ZodObject>(
  schema: Parameters,
  given: Readonly<Record<string, unknown>>,
  strict = false,
): z.infer<Parameters> {
  const read: Record<string, unknown> = {};
  for (const [name, field] of Object.entries<z.core.$ZodType>(schema.shape)) {
    const value = present(given, name, field);
    const parsed = z.safeParse(field, value);
    if (!parsed.success) {
      if (value === undefined) throw Refusal.missing(name);
      throw Refusal.illegal(name, strict ? `: ${rightOf(field, value, parsed.error)}` : '');
    }
    if (parsed.data !== undefined) read[name] = parsed.data;
  }
  // Every field has just been read by its own schema.
  return read as z.infer<Parameters>;
}

const Integer = z.object({
  type: z.literal('integer'),
  enum: z.array(z.int()).optional(),
  minimum: z.int().optional(),
  maximum: z.int().default(Number.MAX_SAFE_INTEGER),
});

const List = z.object({ type: z.literal('array') });

/** What a parameter should be, in words. */
function rightOf(field: z.core.$ZodType, value: unknown, { issues }: z.core.$ZodError): string {
  // As of a name that is given twice, or with brackets behind.
  if (typeof value === 'object' && !List.safeParse(shownOf(field)).success)
    return 'must be one value, given once';
  const integer = Integer.safeParse(shownOf(field)).data;
  if (integer === undefined) return issues[0]?.message ?? '';
  const { minimum = 0, maximum } = integer;
  if (integer.enum) return `must be ${integer.enum.join(' or ')}`;
  const upTo = maximum === Number.MAX_SAFE_INTEGER ? 'on' : `to ${maximum}`;
  return `must be a whole number from ${minimum} ${upTo}`;
}

/** How the API's page shows a field, which may be optional or have a default. */
function shownOf(field: z.core.$ZodType): unknown {
  const meta = z.globalRegistry.get(field);
  if (meta?.shown !== undefined) return meta.shown;
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault) return shownOf(field.def.innerType);
  return undefined;
}

/** Access for which `login_uid` is read of every call, also of one that does not use it. */
const namesCaller: readonly Access[] = ['known', 'user', 'server as user'];

/**
 * The first of some names that is no parameter of a call, with what would be right in words.
 * @param names as requests give them: a list may be named with brackets behind
 */
export function unknownParameter(
  { path, parameters, access }: Pick<Contract, 'path' | 'parameters' | 'access'>,
  names: Iterable<string>,
): { readonly name: string; readonly right: string } | undefined {
  const known = Object.keys(parameters.shape);
  const isKnown = (name: string) =>
    known.includes(name) || (name === 'login_uid' && namesCaller.includes(access));
  const name = Iterator.from(names)
    .map((given) => given.replace(/(?<=.)\[.*$/s, ''))
    .find((given) => !isKnown(given));
  if (name === undefined) return undefined;
  const right = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
  return { name: name.slice(0, 100), right: `${path.slice(1)} has no such parameter: ${right}` };
}

/** The value of a parameter; undefined if it is missing, or empty although it may not be empty. */
function present(given: Readonly<Record<string, unknown>>, name: string, field: z.core.$ZodType): unknown {
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  if (value === null) return undefined;
  return value === '' && !z.safeParse(field, '').success ? undefined : value;
}
