import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readModelCategories } from '../../contracts/events/index.ts';
import type { Contract } from '../../contracts/http/contract.ts';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { call, refusedWith } from '../support/client.ts';
import { servedContracts } from '../support/contracts.ts';
import { callsOf } from '../support/routes.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
  // Those of whom the examples speak.
  for (let uid = 1; uid <= 14; uid++) {
    await call(running, 'POST', '/user/add', {
      username: `person${uid}`,
      nickname: `人${uid}`,
      password: 'secret-1',
    });
  }
});
afterAll(() => running.stop());

const long = 'x'.repeat(1_000_000);

/** What no parameter is ever, or hardly one. */
const oddValues: readonly (readonly [string, unknown])[] = [
  ['nothing', null],
  ['an empty text', ''],
  ['a negative number', -1],
  ['zero', 0],
  ['a fraction', 1.5],
  ['2^53', 2 ** 53],
  ['1e300', 1e300],
  ['true', true],
  ['a list', [1, 2]],
  ['an empty list', []],
  ['a list in a list', [[[1]]]],
  ['a map', { length: 3, toString: 1, constructor: 2 }],
  ['10,000 members', Array.from({ length: 10_000 }, (_, index) => index + 1)],
  ['digits with more', '1e3'],
  ['hexadecimal digits', '0x10'],
  ['NUL', 'a\0b'],
  ['a lone surrogate', 'a\ud800b'],
  ['emoji', '👨‍👩‍👧‍👦😀'],
  ['right-to-left marks', '\u202egpj.exe\u202c\u200f'],
  ['1 MB', long],
  ['SQL', `'; drop table read.users; -- " \\ %s $1 {{7*7}}`],
  ['a script', '<script>alert(1)</script><img src=x onerror=alert(1)>'],
  ['__proto__', '__proto__'],
];

/** A group, an application, a reply and a message that are there for 9, so that a call gets past naming them. */
async function whatIsThere(): Promise<Record<string, unknown>> {
  await call(running, 'POST', '/user/update', { login_uid: 9, is_member: 1 });
  const group = await call(running, 'POST', '/group/create', { login_uid: 9, members: [10, 11] });
  await call(running, 'POST', '/friend/apply', { login_uid: 13, friend_uid: 9 });
  const applications = await call(running, 'GET', '/friend/applylist', { login_uid: 9 });
  const reply = { login_uid: 9, type: 2, title: '常用', content: '你好' };
  await call(running, 'POST', '/reply/add', reply);
  const replies = await call(running, 'GET', '/reply/get', { login_uid: 9 });
  const message = { login_uid: 9, to: 10, type: 'friend', content: '你好' };
  const { mid } = There.message.parse((await call(running, 'POST', '/message/send', message)).data);
  return {
    gid: There.group.parse(group.data).gid,
    nid: There.applications.parse(applications.data)[0].nid,
    rid: There.replies.parse(replies.data)['2'][0].id,
    mid,
    quote_mid: mid,
  };
}

const There = {
  group: z.object({ gid: z.string() }),
  applications: z.tuple([z.object({ nid: z.int() })], z.unknown()),
  replies: z.object({ '2': z.tuple([z.object({ id: z.int() })], z.unknown()) }),
  message: z.object({ mid: z.int() }),
};

/** In place of what a parameter should be. Texts and lists may be fit. */
function* requests(
  contract: Contract,
  there: Readonly<Record<string, unknown>>,
): Generator<[string, Record<string, unknown>]> {
  const names = Object.keys(contract.parameters.shape);
  const fit: Record<string, unknown> = {
    ...('login_uid' in contract.parameters.shape ? { login_uid: 9 } : {}),
    ...contract.example.parameters,
    ...Object.fromEntries(Object.entries(there).filter(([name]) => name in contract.example.parameters)),
  };
  yield ['nothing at all', {}];
  for (const name of names) {
    const { [name]: _, ...without } = fit;
    yield [`without ${name}`, without];
    for (const [what, value] of oddValues) yield [`${name}: ${what}`, { ...fit, [name]: value }];
  }
}

const Envelope = z.strictObject({ code: z.int(), msg: z.string().min(1), data: z.unknown().optional() });

/** As far as a query can carry it. */
function queryOf(given: Record<string, unknown>): string {
  const query = new URLSearchParams();
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 4000);
  for (const [name, value] of Object.entries(given)) {
    if (Array.isArray(value)) for (const item of value.slice(0, 500)) query.append(`${name}[]`, text(item));
    else query.append(name, text(value));
  }
  return query.toString();
}

type Method = Contract['methods'][number];

/** The calls that were asked, as `POST /user/update`. */
const asked = new Set<string>();

/** In a body, or in a query as far as that can carry it. */
async function send(method: Method, { path, picture, unprefixed }: Contract, given: Record<string, unknown>) {
  const url = unprefixed ? path : `/api${path}`;
  const answer = await running.server.inject(
    method === 'POST'
      ? { method, url, payload: given, headers: serverKey }
      : { method, url: `${url}?${queryOf(given)}`, headers: serverKey },
  );
  asked.add(`${method} ${path}`);
  const isPicture = picture !== undefined && answer.headers['content-type'] === picture;
  return {
    status: answer.statusCode,
    envelope: isPicture ? { code: 0, msg: 'ok' } : Envelope.parse(answer.json()),
  };
}

/** How much the log holds: what was refused must leave it as it was. */
async function logLength(): Promise<number> {
  let length = 0;
  for await (const _ of running.application.log.readAll()) length += 1;
  return length;
}

const calls = servedContracts().flatMap((contract) =>
  contract.methods.map((method) => ({ method, path: contract.path, contract })),
);

describe.each(calls)('$method $path', ({ method, contract }) => {
  test('answers any input in the envelope, never as an unexpected failure', async () => {
    for (const [what, given] of requests(contract, await whatIsThere())) {
      const before = await running.application.log.end(readModelCategories);
      const { status, envelope } = await send(method, contract, given);
      expect([200, 413], what).toContain(status);
      expect([500, 503], `${what}: ${envelope.msg}`).not.toContain(envelope.code);
      // A refusal is one whole: nothing of the call was done.
      if (envelope.code !== 0)
        expect(await running.application.log.end(readModelCategories), what).toBe(before);
    }
  }, 60_000);

  test('names the parameter that is missing or bad', async () => {
    for (const [name, field] of Object.entries<z.ZodType>(contract.parameters.shape)) {
      const given: Record<string, unknown> = { ...contract.example.parameters };
      if ('login_uid' in contract.parameters.shape) given.login_uid = 9;
      delete given[name];
      if (contract.upload) continue;
      if (!field.safeParse(undefined).success) {
        const { envelope } = await send(method, contract, given);
        expect(envelope).toEqual(refusedWith(1, `缺少参数${name}`));
      }
      if (!field.safeParse({ no: 'such' }).success && method === 'POST') {
        const { envelope } = await send(method, contract, { ...given, [name]: { no: 'such' } });
        expect(envelope).toEqual(refusedWith(2, `参数${name}不合法`));
      }
    }
  });
});

test.each([
  'login_uid=9&members[9999999999]=1',
  'login_uid=9&members[__proto__][x]=1',
  'login_uid=9&members[length]=1e9',
  'login_uid[]=9&login_uid[]=9',
  'login_uid=9&members=%zz%e4%b8',
  '&&&===&[]=1&[=2&]=3',
  '__proto__[uid]=9&constructor[prototype][uid]=9',
  `login_uid=9&${'members[]=1&'.repeat(6000)}`,
  `login_uid=9&members${'[a]'.repeat(2000)}=1`,
])('a form of odd shape (%#) is refused, and creates nothing', async (payload) => {
  const before = await running.application.log.end(readModelCategories);
  const headers = { ...serverKey, 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await running.server.inject({
    method: 'POST',
    url: '/api/group/memberadd',
    headers,
    payload,
  });
  expect(answer.statusCode).toBe(200);
  expect([1, 2, 701]).toContain(Envelope.parse(answer.json()).code);
  expect(await running.application.log.end(readModelCategories)).toBe(before);
});

test.each([
  ['application/json', '{"login_uid":9,"__proto__":{"uid":1}}', 400],
  ['application/json', '[1,2,3]', 200],
  ['application/json', '"text"', 200],
  ['application/json', '', 200],
  ['application/json', '\ufeff{"login_uid":9}', 200],
  ['application/json', '['.repeat(100_000), 400],
  ['application/json', `{"a":"${'x'.repeat(2_100_000)}"}`, 413],
  ['text/xml', '<a/>', 415],
  ['text/plain', 'login_uid=9', 415],
  ['application/octet-stream', 'a', 415],
])('a body of type %s (%#) is answered with its status, in the envelope', async (type, payload, status) => {
  const headers = { ...serverKey, 'content-type': type };
  const answer = await running.server.inject({ method: 'POST', url: '/api/group/leave', headers, payload });
  expect(answer.statusCode).toBe(status);
  expect(Envelope.parse(answer.json()).code).not.toBe(0);
});

test('every call that the server serves was asked', () => {
  expect([...asked].sort()).toEqual(callsOf(running.server));
});

test('in the end everyone is still there', async () => {
  const { data } = await call(running, 'POST', '/user/multiGet', {
    uid: Array.from({ length: 14 }, (_, index) => index + 1),
  });
  expect(data).toHaveLength(14);
  expect(await logLength()).toBeGreaterThan(14);
});
