import { describe, expect, test } from 'vitest';
import { judgeClosing, judgeFrame } from '../../scripts/fuzz/frame-judging.ts';
import { judge } from '../../scripts/fuzz/judging.ts';
import { PlantedTexts } from '../../scripts/fuzz/planted-texts.ts';
import { judgeLogLine } from '../../scripts/fuzz/program-log.ts';
import type { Outcome, Request } from '../../scripts/fuzz/request.ts';

const planted = new PlantedTexts();
const secrets = {
  app: 'the-app-secret',
  tokenOwner: (text: string) => (text.includes('token-of-7') ? 7 : undefined),
};
const person = (uid: number) => ({ uid, username: 'x', token: `token-of-${uid}` });

const request: Request = {
  ...{ method: 'GET', target: '/api/message/get', headers: {}, body: undefined, given: {} },
  caller: { kind: 'person', person: person(9), headers: {} },
  call: undefined,
};

function answered(status: number, body: unknown): Outcome {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    kind: 'answered',
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(text),
  };
}

const judged = (outcome: Outcome, changed: Partial<Request> = {}) =>
  judge({ request: { ...request, ...changed }, outcome }, { planted, secrets });

describe('an answer', () => {
  test.each([
    ['of code 0', answered(200, { code: 0, msg: 'ok', data: [] })],
    ['that refuses', answered(200, { code: 2, msg: '参数id不合法' })],
    ['that says why it cannot be given now', answered(503, { code: 503, msg: '服务暂不可用' })],
    ['to what cannot be read', answered(400, { code: 2, msg: '请求内容无法解析' })],
  ])('%s is in order', (_, outcome) => {
    expect(judged(outcome)).toEqual([]);
  });

  test.each(['/', '/?page=1', '/chat/', '/console/', '/docs'])(
    'that is the page %s is in order',
    (target) => {
      expect(judged(answered(200, '<!doctype html>'), { target })).toEqual([]);
    },
  );

  test.each([
    [
      'an unexpected error',
      answered(500, { code: 500, msg: '服务器内部错误' }),
      'an answer has the status 500',
    ],
    ['a 503 without a reason', answered(503, { error: 'x' }), 'a 503 gives no reason'],
    ['a page', answered(200, '<html>'), 'an answer is outside the envelope'],
    ['an empty msg', answered(200, { code: 2, msg: '' }), 'an answer is outside the envelope'],
    ['a plain refusal', answered(400, 'no'), 'a refusal with the status 400 is outside the envelope'],
    [
      'a code that is not the status',
      answered(404, { code: 2, msg: 'x' }),
      'a refusal with the status 404 is outside the envelope',
    ],
    ['a cut connection', { kind: 'cut', why: '' }, 'a connection was cut without an answer'],
    ['silence', { kind: 'hanging' }, 'a connection was left hanging'],
  ] satisfies [string, Outcome, string][])('%s is a fault', (_, outcome, fault) => {
    expect(judged(outcome)).toEqual([fault]);
  });

  test('that does not fit the page of its call is a fault', () => {
    const call = {
      ...({ method: 'GET', path: '/message/get', prefixes: [''], parameters: [] } as const),
      ...{ upload: false, picture: false, forServer: false, misfit: () => 'data must be array' },
    };
    const fault = 'an answer of /message/get does not fit openapi.json';
    expect(judged(answered(200, { code: 0, msg: 'ok', data: 1 }), { call })).toEqual([fault]);
  });

  test('to who is not of the two holds what only they may read', () => {
    const content = planted.forTwo(8, 9);
    const outcome = answered(200, { code: 0, msg: 'ok', data: [{ content: `x ${content} y` }] });
    const asUid = (uid: number) => ({ caller: { ...request.caller, person: person(uid) } });
    expect(judged(outcome, asUid(8))).toEqual([]);
    expect(judged(outcome, asUid(9))).toEqual([]);
    expect(judged(outcome, asUid(10))).toEqual(['an answer holds what only others may read']);
    const nobody = { kind: 'nobody' as const, person: undefined, headers: {} };
    expect(judged(outcome, { caller: nobody })).toEqual(['an answer holds what only others may read']);
  });

  test('to who was never in a group holds what only its members may read', () => {
    const outcome = answered(200, { code: 0, msg: 'ok', data: planted.forGroup(100000001) });
    expect(judged(outcome)).toEqual(['an answer holds what only others may read']);
    const undo = planted.admit(100000001, [9]);
    expect(judged(outcome)).toEqual([]);
    undo();
    expect(judged(outcome)).toEqual(['an answer holds what only others may read']);
  });

  test('holds no secret of the app and no token of another', () => {
    const said = (data: string) => judged(answered(200, { code: 0, msg: 'ok', data }));
    expect(said('the-app-secret')).toEqual(["an answer holds the app's secret"]);
    expect(said('token-of-7')).toEqual(["an answer holds another's token"]);
    expect(said('token-of-9')).toEqual([]);
  });
});

test('a frame has an event and data of the right kind, and an error a known code', () => {
  expect(judgeFrame('{"event":"message","channel":"user-1","data":"{}"}').fault).toBeUndefined();
  expect(judgeFrame('{"event":"pusher:pong","data":{}}').fault).toBeUndefined();
  expect(judgeFrame('{"event":"message","data":{}}').fault).toBe('the data of a frame is of the wrong kind');
  expect(judgeFrame('not JSON').fault).toBe('a frame is no event with data');
  const error = (code: number) => JSON.stringify({ event: 'pusher:error', data: { code, message: 'x' } });
  expect(judgeFrame(error(4301)).fault).toBeUndefined();
  expect(judgeFrame(error(5000)).fault).toBe('an error frame has no known code');
});

test('a socket that breaks off, or ends by an unexpected error, is a fault', () => {
  expect(judgeClosing({ code: 4100, reason: '' })).toBeUndefined();
  expect(judgeClosing({ code: 1006, reason: '' })).toBe('a socket was closed with 1006');
  expect(judgeClosing({ code: 1011, reason: '' })).toBe('a socket was closed with 1011');
});

test('an error in the log of the program, or a line that is no entry, is a fault', () => {
  expect(judgeLogLine('{"level":40,"msg":"x"}')).toBeUndefined();
  expect(judgeLogLine('{"level":50,"msg":"a request failed"}')).toBe('the program logged: a request failed');
  expect(judgeLogLine('(node:1) Warning')).toBe('the program wrote a line that is no entry of its log');
});
