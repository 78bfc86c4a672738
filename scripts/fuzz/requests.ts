import { gzipSync } from 'node:zlib';
import { chooseCaller } from './callers.ts';
import type { Call } from './calls.ts';
import type { Cast } from './cast.ts';
import { encodeForm, encodeJson, encodeMultipart } from './encoding.ts';
import { chooseFurther } from './further-requests.ts';
import type { KnownChat, KnownIds } from './known-ids.ts';
import type { PlantedTexts } from './planted-texts.ts';
import type { Random } from './random.ts';
import type { Caller, Request, Target } from './request.ts';
import { chooseParameters, type Scene } from './values.ts';

/** What requests are made from. */
export interface Sources {
  readonly program: Target;
  readonly random: Random;
  readonly calls: readonly Call[];
  readonly cast: Cast;
  readonly known: KnownIds;
  readonly planted: PlantedTexts;
  readonly files: readonly Buffer[];
}

/** The most bytes of a query: what is more is refused before any handler. */
const maxQueryBytes = 60_000;

/** Makes the next request. */
export function makeRequest(sources: Sources): Request {
  const { random, cast, program } = sources;
  const caller = chooseCaller(random, cast, program);
  if (random.chance(0.06)) return chooseFurther(sources, caller);
  const scene = sceneOf(sources, caller);
  const call = chooseCall(sources, caller);
  const given = chooseParameters({ ...scene, path: call.path }, call.parameters);
  const { method, path } = oddly(random, call.method, `${random.pick(call.prefixes)}${call.path}`);
  const headers = { ...caller.headers, ...oddHeaders(random, sources.known) };
  const request = { method, caller, call, given };
  if (call.method === 'GET') {
    const query = encodeForm(random, given, maxQueryBytes);
    return { ...request, target: query ? `${path}?${query}` : path, headers, body: undefined };
  }
  const body = bodyOf(sources, call, given);
  const type = random.chance(0.02) ? random.pick(['text/plain', 'x', 'application/xml', '']) : body.type;
  if (random.chance(0.01)) {
    const zipped = { ...headers, 'content-type': type, 'content-encoding': 'gzip' };
    return { ...request, target: path, headers: zipped, body: gzipSync(body.bytes) };
  }
  return { ...request, target: path, headers: { ...headers, 'content-type': type }, body: body.bytes };
}

/** Chooses whom and which chat a request is about. */
function sceneOf(sources: Sources, caller: Caller): Scene {
  const { random, cast, known } = sources;
  const actor = caller.person ?? (caller.kind === 'server' ? random.pick(cast.insiders) : undefined);
  const gid = Number(known.pick('gid', random) ?? 1);
  const chat: KnownChat = random.chance(0.5)
    ? { id: random.pick(cast.insiders).uid, type: 'friend', mid: undefined }
    : { id: gid, type: 'group', mid: undefined };
  const spoken = random.chance(0.7) ? known.pickChat(random) : undefined;
  return { ...sources, actor, chat: spoken ?? chat, path: '' };
}

/** Calls that come more often than in turn: most others need what these make. */
const making = /^\/(message\/(send|get)|group\/(create|memberadd))$/;
/** Calls that return planted texts, which the stranger must not read. */
const telling = /^\/(message\/.*|pop\/get|group\/(detail|members)|user\/get)$/;

function chooseCall({ random, calls, cast }: Sources, caller: Caller): Call {
  if (caller.person === cast.stranger) {
    // A group's gid is enough to join it, and would make a member of the stranger.
    const only = random.chance(0.6) ? telling : /^(?!\/group\/join$)/;
    return random.pick(calls.filter(({ path }) => only.test(path)));
  }
  if (random.chance(0.25)) return random.pick(calls.filter(({ path }) => making.test(path)));
  const call = random.pick(calls);
  // What only the server's key may call is refused early to all others.
  return call.forServer && caller.kind !== 'server' && random.chance(0.8) ? random.pick(calls) : call;
}

function bodyOf({ random, files }: Sources, call: Call, given: Readonly<Record<string, unknown>>) {
  if (call.upload && random.chance(0.9)) return encodeMultipart(random, given, random.pick(files));
  const kind = random.weighted({ json: 10, form: 10, multipart: 3, huge: 0.1 });
  switch (kind) {
    case 'json':
      return { type: 'application/json', bytes: encodeJson(random, given) };
    case 'form': {
      const bytes = Buffer.from(encodeForm(random, given, 1_000_000));
      return { type: 'application/x-www-form-urlencoded; charset=utf-8', bytes };
    }
    case 'multipart':
      return encodeMultipart(random, given, undefined);
    case 'huge':
      return { type: 'application/json', bytes: Buffer.alloc(random.integer(262_000, 3_000_000), '[') };
  }
}

/** At times another method, or an odd way to write the path. */
function oddly(random: Random, method: string, path: string): { method: string; path: string } {
  if (random.chance(0.03)) {
    return {
      method: random.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE']),
      path,
    };
  }
  if (random.chance(0.97)) return { method, path };
  const ways = [
    `${path}/`,
    `/${path}`,
    `${path}//`,
    path.toUpperCase(),
    `${path};x=1`,
    `${path}%00`,
    `${path}%ff`,
  ];
  return {
    method,
    path: random.pick([
      ...ways,
      path.replaceAll('/', '%2f'),
      `/x/..${path}`,
      `${path}.json`,
      `${path}?a=?b=[`,
    ]),
  };
}

function oddHeaders(random: Random, known: KnownIds): Record<string, string> {
  const headers: Record<string, string> = {};
  if (random.chance(0.1)) {
    const right = String(known.pick('x-position', random) ?? '');
    const wrong = [
      'x',
      '-'.repeat(16),
      '0'.repeat(16),
      '9'.repeat(16),
      '9'.repeat(40),
      `${'0'.repeat(15)}-1`,
      '1',
    ];
    headers['x-position'] = random.chance(0.6) ? right : random.pick(wrong);
  }
  if (random.chance(0.05)) {
    headers.origin = random.pick([
      'http://evil.example',
      'null',
      '',
      'http://127.0.0.1',
      '中'.slice(0, 0),
      'x y',
    ]);
  }
  if (random.chance(0.02)) headers['accept-encoding'] = random.pick(['gzip', 'br;q=x', '*', '']);
  if (random.chance(0.01)) headers.expect = '100-continue';
  if (random.chance(0.02))
    headers.range = random.pick(['bytes=0-1', 'bytes=9-1', 'bytes=-5', 'x', 'bytes=0-1,3-4']);
  return headers;
}
