import { z } from 'zod';
import type { Parameter, Shape } from './calls.ts';
import { type Cast, type Person, password } from './cast.ts';
import type { KnownChat, KnownIds } from './known-ids.ts';
import { oddValues } from './odd-values.ts';
import type { PlantedTexts } from './planted-texts.ts';
import type { Random } from './random.ts';

/** What a request is made from. */
export interface Scene {
  readonly random: Random;
  readonly known: KnownIds;
  readonly cast: Cast;
  readonly planted: PlantedTexts;
  /** For whom the request acts; undefined if for nobody. */
  readonly actor: Person | undefined;
  /** The chat that it is about. */
  readonly chat: KnownChat;
  /** The path of its call. */
  readonly path: string;
}

/** How values of a request are chosen, by weight. */
const choices = { valid: 16, boundary: 1, odd: 1, missing: 1 };

/** Chooses the parameters of a request, in the document's order. */
export function chooseParameters(scene: Scene, parameters: readonly Parameter[]): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  // A request with many parameters would hardly ever be right if each had the same risk.
  const wild = scene.random.chance(0.5);
  for (const { name, schema, required } of parameters) {
    if (!required && scene.random.chance(0.5)) continue;
    const choice = wild ? scene.random.weighted(choices) : 'valid';
    if (choice === 'missing') continue;
    if (choice === 'odd') given[name] = scene.random.pick(oddValues);
    else if (choice === 'boundary') given[name] = boundary(scene, schema);
    else given[name] = known(scene, name, given) ?? valid(scene, schema);
  }
  return given;
}

/** A value that fits by its name: who, which chat, which record; undefined if the name says nothing. */
function known(scene: Scene, name: string, given: Readonly<Record<string, unknown>>): unknown {
  const { random, cast, chat, actor, path } = scene;
  const other = () => random.pick(cast.insiders).uid;
  switch (name) {
    case 'login_uid':
      return actor?.uid ?? other();
    case 'friend_uid':
      return other();
    case 'uid':
      // Without their people the lanes would come to an end.
      if (path === '/user/delete') return scene.known.pick('added', random) ?? 0;
      return random.chance(0.2) ? Array.from({ length: 3 }, other) : other();
    case 'members':
      return Array.from({ length: random.integer(1, 3) }, other);
    case 'to':
      return chat.id;
    case 'id':
      return path.startsWith('/announcement') ? random.integer(1, 20) : chat.id;
    case 'type':
      return /^\/(message|pop)/.test(path) ? chat.type : undefined;
    case 'gid':
      return chat.type === 'group' ? chat.id : scene.known.pick('gid', random);
    case 'mid':
    case 'quote_mid':
      return chat.mid;
    case 'nid':
    case 'rid':
    case 'captcha_id':
      return scene.known.pick(name, random);
    case 'since':
      return scene.known.pick('position', random);
    case 'avatar':
      return scene.known.pick('src', random);
    case 'password':
    case 'password_old':
      return random.chance(0.3) ? password : undefined;
    case 'username':
      return random.chance(0.3) ? random.pick(cast.insiders).username : undefined;
    case 'limit_token':
    case 'limit_address':
    case 'limit_commands':
      // The run would only be refused.
      return 1_000_000;
    default:
      return plantedText(scene, name, given);
  }
}

/** A text in a place that others must not read. */
function plantedText(scene: Scene, name: string, given: Readonly<Record<string, unknown>>): unknown {
  const { actor, planted, path, random } = scene;
  const from = typeof given.login_uid === 'number' ? given.login_uid : actor?.uid;
  if (from === undefined) return undefined;
  if (name === 'remark') return planted.forTwo(from, from);
  if (name === 'postscript' && typeof given.friend_uid === 'number') {
    return planted.forTwo(from, given.friend_uid);
  }
  if (name !== 'content' || path !== '/message/send' || typeof given.to !== 'number') return undefined;
  const text = given.type === 'group' ? planted.forGroup(given.to) : planted.forTwo(from, given.to);
  return random.chance(0.2) ? `${text} @[x](${random.pick(scene.cast.insiders).uid}) @all <b>&` : text;
}

const Bounds = z
  .looseObject({
    type: z.string(),
    enum: z.array(z.unknown()),
    const: z.unknown(),
    anyOf: z.array(z.record(z.string(), z.unknown())),
    items: z.record(z.string(), z.unknown()),
    pattern: z.string(),
    minimum: z.number(),
    maximum: z.number(),
    minLength: z.number(),
    maxLength: z.number(),
    minItems: z.number(),
    maxItems: z.number(),
    'x-maxBytes': z.number(),
  })
  .partial();

function valid(scene: Scene, schema: Shape): unknown {
  const { random } = scene;
  const { type, enum: values, anyOf, items, pattern, minimum = 0, maximum, ...bounds } = Bounds.parse(schema);
  if (values !== undefined) return random.pick(values);
  if (anyOf !== undefined) return valid(scene, random.pick(anyOf));
  if (bounds.const !== undefined) return bounds.const;
  if (type === 'integer' || type === 'number') {
    return random.integer(minimum, Math.min(maximum ?? 1000, minimum + 1000));
  }
  if (type === 'boolean') return random.chance(0.5);
  if (type === 'array') return Array.from({ length: random.integer(1, 3) }, () => valid(scene, items ?? {}));
  if (pattern !== undefined) return matching(random, pattern);
  const least = Math.max(bounds.minLength ?? 0, 2);
  return random.word(random.integer(least, Math.min(bounds.maxLength ?? 16, least + 14)));
}

/** A text for the patterns that the document has. */
function matching(random: Random, pattern: string): string {
  const digits = (count: number) => Array.from({ length: count }, () => random.integer(0, 9)).join('');
  if (pattern.startsWith('^1')) return `1${digits(10)}`;
  if (pattern.includes('{6}')) return digits(6);
  if (pattern.includes(',')) return `${random.integer(1, 20)},${random.integer(1, 20)}`;
  return random.word(8);
}

function boundary(scene: Scene, schema: Shape): unknown {
  const { random } = scene;
  const { minLength, maxLength, minItems, maxItems, anyOf, type, minimum, ...rest } = Bounds.parse(schema);
  // Bounds that every number has are not on the page.
  const maximum = rest.maximum ?? (type === 'integer' ? Number.MAX_SAFE_INTEGER : undefined);
  if (anyOf !== undefined) return boundary(scene, random.pick(anyOf));
  const near = (bound: number | undefined) => (bound === undefined ? [] : [bound - 1, bound, bound + 1]);
  const numbers = [...near(minimum), ...near(maximum)];
  if (numbers.length > 0) return random.pick([...numbers, ...numbers.map(String)]);
  const lengths = [...near(minLength), ...near(maxLength), ...near(rest['x-maxBytes'])];
  if (lengths.length > 0) {
    return random.pick(['x', '中', '😀']).repeat(Math.min(Math.max(0, random.pick(lengths)), 100_000));
  }
  const counts = [...near(minItems), ...near(maxItems)].filter((count) => count >= 0);
  if (counts.length > 0) {
    return Array.from({ length: random.pick(counts) }, () => random.pick(scene.cast.insiders).uid);
  }
  return random.pick(oddValues);
}
