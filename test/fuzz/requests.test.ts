import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readCalls } from '../../scripts/fuzz/calls.ts';
import { curlLine } from '../../scripts/fuzz/curl.ts';
import { KnownIds } from '../../scripts/fuzz/known-ids.ts';
import { PlantedTexts } from '../../scripts/fuzz/planted-texts.ts';
import { Random } from '../../scripts/fuzz/random.ts';
import type { Request } from '../../scripts/fuzz/request.ts';
import { makeRequest } from '../../scripts/fuzz/requests.ts';
import { describedApi } from '../support/described-api.ts';
import { freePort } from '../support/free-port.ts';

const calls = readCalls(JSON.stringify(describedApi()));

/** Requests of a seed, as such and as texts. */
function requestsOf(seed: string, count: number): { requests: Request[]; texts: string[] } {
  const people = [77, 2, 3, 4, 5].map((uid) => ({ uid, username: `u${uid}`, token: `token${uid}` }));
  const [stranger, ...insiders] = people;
  if (stranger === undefined) throw new TypeError('there is a stranger');
  const sources = {
    program: { port: 1, key: 'key', secret: 'secret' },
    ...{ random: new Random(seed), calls, cast: { insiders, stranger }, known: new KnownIds() },
    ...{ planted: new PlantedTexts(), files: [Buffer.from('a file')] },
  };
  const requests = Array.from({ length: count }, () => makeRequest(sources));
  const described = requests.filter(({ target }) => !target.startsWith('/apps/'));
  const texts = described.map(
    ({ method, target, headers, body }) =>
      `${method} ${target} ${JSON.stringify(headers)} ${body?.toString('latin1')}`,
  );
  return { requests, texts };
}

test('the same seed makes the same requests, another seed makes others', () => {
  const { texts } = requestsOf('1', 300);
  expect(requestsOf('1', 300).texts).toEqual(texts);
  expect(requestsOf('2', 300).texts).not.toEqual(texts);
});

test('every call of openapi.json is made, with every parameter', () => {
  const { requests } = requestsOf('all', 12_000);
  const made = new Set(
    requests.flatMap(({ call, given }) =>
      call === undefined ? [] : [call.path, ...Object.keys(given).map((name) => `${call.path} ${name}`)],
    ),
  );
  const wanted = calls.flatMap(({ path, parameters }) => [
    path,
    ...parameters.map(({ name }) => `${path} ${name}`),
  ]);
  expect(wanted.filter((one) => !made.has(one) && !one.endsWith(' file'))).toEqual([]);
});

test('what somebody sends names the stranger only if it is the stranger’s own', () => {
  const { requests } = requestsOf('stranger', 3_000);
  const sent = requests.filter(({ call }) => /^\/(message\/send|friend\/apply)$/.test(call?.path ?? ''));
  const uids = sent
    .filter(({ caller }) => caller.person?.uid !== 77)
    .flatMap(({ given }) => [given.to, given.friend_uid]);
  expect(sent.length).toBeGreaterThan(100);
  expect(uids).toContain(2);
  expect(uids).not.toContain(77);
});

test('a request is printed as a curl line that sends the same bytes, without its secrets', async () => {
  const port = await freePort();
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(
      `${request.headers.authorization} ${Buffer.concat(await Array.fromAsync(request)).toString('latin1')}`,
    );
    response.end();
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const body = Buffer.from([0, 1, 255, 10, 36, 34, 96, 92]);
  const caller = { kind: 'nobody' as const, person: undefined, headers: {} };
  const line = (bytes: Buffer) =>
    curlLine(
      port,
      {
        ...{ method: 'POST', target: '/x?a=$b`c`', body: bytes, caller, call: undefined, given: {} },
        headers: { authorization: 'Bearer s3cret' },
      },
      (text) => text.replaceAll('s3cret', '$TOKEN_OF_A'),
    );
  const send = (text: string) =>
    promisify(execFile)('bash', ['-c', text], { env: { PATH: process.env.PATH, TOKEN_OF_A: 's3cret' } });
  const plain = Buffer.from('{"a":"$HOME `x` \\"y\\""}');
  await send(line(body));
  await send(line(plain));
  server.close();
  expect(line(body)).not.toContain('s3cret');
  expect(bodies).toEqual([
    `Bearer s3cret ${body.toString('latin1')}`,
    `Bearer s3cret ${plain.toString('latin1')}`,
  ]);
});
