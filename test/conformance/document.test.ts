import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { servedContracts } from '../support/contracts.ts';
import { callsOf } from '../support/routes.ts';
import { picture } from '../support/uploading.ts';
import { beyondTheDocument, type DocumentedCall, documentedCalls } from './document.ts';
import { DocumentClient, dataOf } from './document-client.ts';
import { createWorld, documentRequests, type World } from './document-requests.ts';
import { differences } from './shape.ts';

/** Fields of answers that the document lacks. */
const beyond: ReadonlySet<string> = new Set(
  // Chats that are pinned; names in groups and of groups; owners of groups; unread mentions; members (会员) in every list; newer settings.
  [
    'top',
    'name',
    'at',
    'is_member',
    'dirty_words',
    'groupname',
    'uid',
    'member_detail',
    'app_name',
    'register',
    'register_sms',
    'escape_html',
    'register_captcha',
  ].concat(['login_captcha', 'explore_url', 'qrcode_friend', 'qrcode_group', 'qrcode_scan']),
);

let running: RunningApplication;
let client: DocumentClient;
let world: World;
let requests: ReturnType<typeof documentRequests>;

beforeAll(async () => {
  running = await startApplication();
  client = new DocumentClient(running);
  world = await createWorld(client);
  requests = documentRequests(client, world);
});
afterAll(() => running.stop());

/** Calls that are tested by themselves: uploads are multipart, and a QR code is answered as a picture. */
const noForms: ReadonlySet<string> = new Set([
  'GET /api/qrcode/get',
  ...['avatar', 'img', 'file'].map((kind) => `POST /api/upload/${kind}`),
]);

const contracts = new Map(servedContracts().map((contract) => [contract.path.toString(), contract]));

function contractOf({ call }: DocumentedCall) {
  const path = call.replace(/^\w+ \/(api|web|h5)/, '');
  const contract = contracts.get(path);
  if (!contract) throw new Error(`no contract serves ${path}`);
  return contract;
}

describe.each(documentedCalls.map((documented) => ({ ...documented })))('$call', (documented) => {
  const { call, parameters, data = [] } = documented;

  test('accepts the parameters that the document names by its method, and requires none that it calls optional', () => {
    const { parameters: taken, methods } = contractOf(documented);
    for (const parameter of parameters) {
      const field = taken.shape[parameter.replace('?', '')];
      expect(field, parameter).toBeDefined();
      if (parameter.endsWith('?')) expect(z.safeParse(field, undefined).success, parameter).toBe(true);
    }
    expect(methods).toContain(call.split(' ')[0]);
  });

  if (noForms.has(call)) return;

  test('answers in the document’s shape, field by field', async () => {
    const answered = await client.ask(call, (await requests[call]?.()) ?? {});
    expect(differences([data], answered, beyond)).toEqual([]);
    if (Array.isArray(data) && data.length > 0) expect(answered).not.toHaveLength(0);
    const { success } = z.safeParse(contractOf(documented).data, answered);
    expect(success, 'the contract of the answer').toBe(true);
  });
});

describe('calls without a form', () => {
  test.each(['avatar', 'img', 'file'])('/api/upload/%s answers in the document’s shape', async (kind) => {
    const body = new FormData();
    if (kind === 'avatar') body.append('login_uid', String(world.tom));
    body.append('file', new Blob([await picture('png')]), '文件名.png');
    const path = `/api/upload/${kind}`;
    const response = await fetch(running.url + path, { method: 'POST', body, headers: serverKey });
    const data = dataOf(await response.json());
    const documented = documentedCalls.find(({ call }) => call.endsWith(path));
    expect(differences([documented?.data], data, beyond)).toEqual([]);
    expect(data).toMatchObject({ name: '文件名.png', size: expect.stringMatching(/^\d+(\.\d\d)? K?B$/) });
  });

  test('/api/qrcode/get answers a stream of a picture', async () => {
    const response = await client.request('GET /api/qrcode/get', { content: '二维码内容' });
    expect(response.headers.get('content-type')).toBe('image/png');
  });
});

test('every call of the document is tested', () => {
  expect([...Object.keys(requests), ...noForms].sort()).toEqual(
    documentedCalls.map(({ call }) => call.toString()).sort(),
  );
});

test('every call that the server serves is in the document, or on the list of additions with its reason', () => {
  const documented = documentedCalls.map(({ call }) => call.replace(/ \/(api|web|h5)/, ' '));
  expect([...documented, ...Object.keys(beyondTheDocument)].sort()).toEqual(callsOf(running.server));
});

test('no call that the page marks as ours is in the document', () => {
  const ours = servedContracts().filter((contract) => contract.ours);
  const calls = ours.flatMap(({ methods, path }) => methods.map((method) => `${method} ${path}`));
  expect(Object.keys(beyondTheDocument)).toEqual(expect.arrayContaining(calls));
  expect(calls).toContain('POST /user/delete');
});
