import { Ajv2020 } from 'ajv/dist/2020.js';
import Pusher from 'pusher';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gids, phones, uids } from '../../../contracts/http/example-ids.ts';
import { servedContracts } from '../../support/contracts.ts';
import { preparedFolder } from '../../support/prepared-folder.ts';
import { startProgram } from '../../support/process.ts';
import { type Standalone, startStandalone } from '../../support/standalone.ts';
import { type ExampleRequest, exampleRequests, type Values } from './example-requests.ts';

const LoggedIn = z.object({ token: z.string() });
const Codes = z.array(z.object({ phone: z.string(), type: z.string(), code: z.string() }));

/** What takes away what other examples need comes after them, in this order. */
const last = [
  'POST /message/revoke',
  'POST /announcement/revoke',
  'POST /login/join',
  'POST /friend/delete',
  'POST /group/leave',
  'POST /group/memberdelete',
  'POST /group/transfer',
  'POST /group/delete',
  'POST /user/endsession',
  'POST /user/delete',
  'POST /login/logout',
  'POST /user/updatepassword',
];

const inOrder = (requests: readonly ExampleRequest[]) =>
  requests.toSorted((one, other) => last.indexOf(one.operation) - last.indexOf(other.operation));

/** An installation that `npm run demo` has filled. */
interface Demo extends Standalone {
  /** What it printed. */
  readonly password: string;
  /** A token of Tom. */
  token(): Promise<string>;
  logOut(): void;
}

async function startDemo(): Promise<Demo> {
  const dataFolder = await preparedFolder();
  const running = await startStandalone(dataFolder);
  const demo = startProgram('scripts/demo.ts', [], { DATA_DIR: dataFolder, PORT: String(running.port) });
  expect(await demo.ended, demo.stderr()).toBe(0);
  const [, password = ''] = / password (\S+)/.exec(demo.lines().join('\n')) ?? [];
  let token: Promise<string> | undefined;
  const logIn = async () => {
    const { data } = await running.call('/api/login/login', 'nobody', { username: 'tom', password });
    return LoggedIn.parse(data).token;
  };
  const logOut = () => {
    token = undefined;
  };
  return { ...{ ...running, password, logOut }, token: () => (token ??= logIn()) };
}

/** The code of an SMS in the development inbox. */
async function codeFor({ call }: Demo, phone: string, type: string): Promise<string> {
  const { data } = await call('/dev/sms', 'server', { phone });
  return Codes.parse(data).find((sms) => sms.type === type)?.code ?? '';
}

/** What each example needs that says so, as somebody at the page fills it in. */
const needed: Readonly<Record<string, (demo: Demo) => Promise<Values>>> = {
  'POST /login/login': async ({ password }) => ({ password }),
  'POST /login/check': async ({ password }) => ({ password }),
  'POST /login/join': async (demo) => ({ code: await codeFor(demo, phones.newcomer, 'register') }),
  'POST /service/forget_pass': async (demo) => {
    await demo.call('/api/service/send_sms', 'nobody', { phone: phones.jerry, type: 'forget' });
    return { code: await codeFor(demo, phones.jerry, 'forget') };
  },
  'POST /user/bindphone': async (demo) => ({ code: await codeFor(demo, phones.tom, 'bind') }),
  'POST /user/updatepassword': async ({ password }) => ({ password_old: password }),
  // By the server's key.
  'POST /message/revoke': async () => ({}),
};

/** The example of a call with two methods, which does its work once. */
const repeated: Readonly<Record<string, Values>> = { 'POST /user/add': { username: 'spike2' } };

/** The headers of Tom, of the server's key, or of nobody: the first that the document names. */
async function headersFor(
  demo: Demo,
  { security, operation }: ExampleRequest,
): Promise<Record<string, string>> {
  if (security.length === 0 || security[0] === 'signature') return {};
  if (security[0] !== 'token' || operation === 'POST /message/revoke')
    return { 'x-app-key': demo.key, 'x-app-secret': demo.secret };
  return { authorization: `Bearer ${await demo.token()}` };
}

/** The signature of a request to Pusher's endpoints, as the query that its library for servers makes. */
function signatureOf({ key, secret }: Demo, { method, url: path }: ExampleRequest, body: string | undefined) {
  const [, , appId = ''] = path.split('/');
  const signed = { method, path, ...(body !== undefined && { body }) };
  return new Pusher({ appId, key, secret, host: '127.0.0.1' }).createSignedQueryString(signed);
}

async function ask(demo: Demo, request: ExampleRequest): Promise<Response> {
  const { method, query, body, takesFile, security, operation } = request;
  const headers = new Headers(await headersFor(demo, request));
  const url = `${demo.url}${request.url}`;
  if (takesFile) {
    const form = new FormData();
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });
    form.append('file', new Blob([new Uint8Array(await picture.png().toBuffer())]), '图.png');
    return fetch(url, { method, headers, body: form });
  }
  const filled = { ...body, ...(await needed[operation]?.(demo)), ...repeated[operation] };
  const json = body === undefined ? undefined : JSON.stringify(filled);
  if (json !== undefined) headers.set('content-type', 'application/json');
  const parameters = security.includes('signature')
    ? signatureOf(demo, request, json)
    : new URLSearchParams(
        Object.entries(query).flatMap(([name, value]) =>
          Array.isArray(value) ? value.map((each) => [`${name}[]`, `${each}`]) : [[name, `${value}`]],
        ),
      );
  return fetch(`${url}?${parameters}`, { method, headers, ...(json !== undefined && { body: json }) });
}

/** Puts back what the next example needs. */
async function restore({ call, logOut }: Demo, operation: string): Promise<void> {
  if (operation === 'POST /login/logout') logOut();
  if (operation === 'POST /group/transfer') {
    const back = { login_uid: uids.jerry, gid: gids.cheese, uid: uids.tom };
    expect(await call('/api/group/transfer', 'server', back)).toMatchObject({ code: 0 });
  }
}

test('every example of openapi.json is carried out in a demonstration, and answered as it describes', async () => {
  const demo = await startDemo();
  const document: unknown = await (await fetch(`${demo.url}/openapi.json`)).json();
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
  ajv.addSchema(z.record(z.string(), z.unknown()).parse(document), 'openapi.json');
  const requests = exampleRequests(document);
  const problems: string[] = [];
  for (const request of inOrder(requests)) {
    const { operation, answer } = request;
    const response = await ask(demo, request);
    const type = response.headers.get('content-type') ?? 'application/json';
    if (type.startsWith('image/')) continue;
    const text = await response.text();
    const body: unknown = JSON.parse(text);
    const schema = `openapi.json#${answer}/content/application~1json/schema`;
    const { code } = z.looseObject({ code: z.int().default(0) }).parse(body);
    if (response.status !== 200 || code !== 0) problems.push(`${operation}: ${response.status} ${text}`);
    else if (!ajv.validate({ $ref: schema }, body))
      problems.push(`${operation}: ${ajv.errorsText()} in ${text}`);
    await restore(demo, operation);
  }
  expect(problems).toEqual([]);
  const contracts = servedContracts().filter(({ example }) => example.needs !== undefined);
  expect(Object.keys(needed).sort()).toEqual(contracts.map(({ path }) => `POST ${path}`).sort());
  expect(requests.length).toBeGreaterThan(90);
}, 60_000);
