import { createHash } from 'node:crypto';
import { sign } from '../../services/app-keys/signature.ts';
import { chooseChannel } from './channels.ts';
import { encodeForm } from './encoding.ts';
import { oddValues } from './odd-values.ts';
import type { Random } from './random.ts';
import type { Caller, Request, Target } from './request.ts';
import type { Sources } from './requests.ts';

const json = { 'content-type': 'application/json' };

/** Makes a request to what openapi.json does not describe: Pusher's endpoints, files, pages, wrong paths. */
export function chooseFurther(sources: Sources, caller: Caller): Request {
  const kind = sources.random.weighted({ auth: 5, triggered: 4, paths: 3 });
  if (kind === 'auth') return signing(sources, caller);
  if (kind === 'triggered') return triggered(sources, caller);
  const { random, known } = sources;
  const src = String(known.pick('src', random) ?? '').replace(/^\/\/[^/]+/, '');
  const paths = [
    '/health',
    '/ready',
    '/openapi.json',
    '/docs',
    '/docs/json',
    '/',
    '/?page=1',
    '/chat/',
    '/console/',
    '/favicon.ico',
    '/api',
    '/api/nothing',
  ];
  const files = [
    src,
    `${src}/..`,
    '/upload/avatars/../../app-secret',
    '/upload/%2e%2e/app-secret',
    '/upload/x',
    '/upload/',
  ];
  return {
    ...{ method: random.weighted({ GET: 8, HEAD: 1, POST: 1 }), headers: caller.headers, body: undefined },
    ...{ target: random.pick([...paths, ...files]) || '/', caller, call: undefined, given: {} },
  };
}

/** Asks for the signature of a subscription or a sign-in. */
function signing(sources: Sources, caller: Caller): Request {
  const { random } = sources;
  const given = {
    socket_id: random.chance(0.8)
      ? `${random.integer(1, 99)}.${random.integer(1, 99)}`
      : random.pick(oddValues),
    channel_name: random.chance(0.9) ? chooseChannel(sources) : random.pick(oddValues),
    ...(random.chance(0.2) && { since: random.pick(oddValues) }),
    ...(random.chance(0.2) && { token: random.pick(oddValues) }),
  };
  const target = random.pick([
    '/pusher/auth',
    '/plugin/webman/push/auth',
    '/api/push/auth',
    '/pusher/user-auth',
  ]);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const asForm = random.chance(0.6);
  const body = Buffer.from(asForm ? encodeForm(random, given, 100_000) : JSON.stringify(given));
  const headers = { ...caller.headers, ...(asForm ? form : json) };
  return { ...{ method: 'POST', target, headers, body, caller, given }, call: undefined };
}

/** Calls the HTTP side that other backends trigger events with, mostly under a right signature. */
function triggered(sources: Sources, caller: Caller): Request {
  const { random, program } = sources;
  const path = '/apps/bubble-im';
  const channel = chooseChannel(sources);
  const event = {
    name: random.chance(0.9) ? 'greeting' : random.pick(oddValues),
    data: random.chance(0.9) ? '{"a":1}' : random.pick(oddValues),
    channel: random.chance(0.9) ? channel : random.pick(oddValues),
    ...(random.chance(0.2) && { info: random.pick(['user_count', 'subscription_count,user_count', 'x']) }),
    ...(random.chance(0.1) && { socket_id: random.pick(oddValues) }),
  };
  const posts = { '/events': event, '/batch_events': { batch: [event, event] } };
  const places = [
    '/channels',
    `/channels/${encodeURIComponent(channel)}`,
    `/channels/${encodeURIComponent(channel)}/users`,
    '/users/x/terminate_connections',
  ];
  const place = random.pick([...Object.keys(posts), ...places]);
  const isPost = place in posts || place.startsWith('/users');
  const body = place === '/events' ? posts['/events'] : posts['/batch_events'];
  const bytes = isPost ? Buffer.from(JSON.stringify(body)) : undefined;
  const method = isPost ? 'POST' : 'GET';
  const more = isPost
    ? ''
    : random.pick(['', '&filter_by_prefix=presence-&info=user_count', '&info=x', '&limit=-1']);
  const target = signedTarget(random, program, { method, path: `${path}${place}`, more, bytes });
  return { method, target, headers: isPost ? json : {}, body: bytes, caller, call: undefined, given: {} };
}

/** Signs as Pusher's server libraries do; at times wrongly. */
function signedTarget(
  random: Random,
  { key, secret }: Target,
  given: { method: string; path: string; more: string; bytes: Buffer | undefined },
): string {
  const { method, path, more, bytes } = given;
  const md5 = bytes && `&body_md5=${createHash('md5').update(bytes).digest('hex')}`;
  const seconds = Math.floor(Date.now() / 1000);
  const unsorted = `auth_key=${key}&auth_timestamp=${seconds}&auth_version=1.0${md5 ?? ''}${more}`;
  const query = unsorted.split('&').sort().join('&');
  const signature = sign({ id: '', key, secret }, `${method}\n${path}\n${query}`);
  return `${path}?${query}&auth_signature=${random.chance(0.9) ? signature : signature.slice(1)}`;
}
