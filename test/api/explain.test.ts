import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { client, type Person, two } from '../support/client.ts';

let running: RunningApplication;
let tom: Person;
let jerry: Person;

beforeAll(async () => {
  running = await startApplication();
  [tom, jerry] = await two(running);
  await tom.post('/friend/add', { friend_uid: jerry.uid });
});

afterAll(() => running.stop());

async function ask(query: Record<string, string>, headers: Record<string, string> = serverKey) {
  const answer = await running.server.inject({ url: '/audit/explain', query, headers });
  return answer.json();
}

const position = () => running.application.log.end();

describe('/audit/explain', () => {
  test('answers in one sentence, with each change and its cause', async () => {
    const question = `friends ${tom.uid} ${jerry.uid}`;
    const { code, data } = await ask({ question });
    expect(code).toBe(0);
    expect(data).toMatchObject({
      answer: expect.stringMatching(
        new RegExp(
          `^person ${tom.uid} \\(tom\\) is a friend of person ${jerry.uid}, since .*, by Befriended`,
        ),
      ),
      verdict: { value: true, words: `is a friend of person ${jerry.uid}` },
      omitted: 0,
      steps: [
        { cause: { kind: 'event', type: 'Befriended', by: `the server's key for person ${tom.uid} (tom)` } },
      ],
    });
    await jerry.post('/friend/delete', { friend_uid: tom.uid });
    expect((await ask({ question, steps: '1' })).data).toMatchObject({
      omitted: 1,
      verdict: { value: false },
    });
    await tom.post('/friend/add', { friend_uid: jerry.uid });
  });

  test('answers as of a position, a second and an ISO time', async () => {
    const before = await position();
    const question = `account ${tom.uid}`;
    await tom.post('/user/update', { account_state: 'disabled' });
    expect((await ask({ question, at: before })).data.verdict).toMatchObject({ value: true });
    expect((await ask({ question })).data.verdict).toMatchObject({ value: false, refusal: { code: 85 } });
    const later = new Date(Date.now() + 1_000).toISOString();
    expect((await ask({ question, at: later })).data.verdict.value).toBe(false);
    expect(await ask({ question, at: '1700000000' })).toMatchObject({
      code: 3,
      msg: expect.stringContaining(`there was no person ${tom.uid} on 2023-11-1`),
    });
    await tom.post('/user/update', { account_state: 'normal' });
  });

  test.each([
    [{}, 1, '缺少参数question'],
    [{ question: 'why 9' }, 2, '参数question不合法: there is no question "why"'],
    [{ question: 'account 9', at: 'yesterday' }, 2, '参数at不合法: "yesterday" is neither'],
    [{ question: 'account 9', at: '2999-01-01T00:00:00Z' }, 2, '参数at不合法: 2999-01-01 '],
    [{ question: 'account 9', at: '9999999999999999' }, 2, '参数at不合法: there is no event at position'],
    [
      { question: 'account 9', at: '0000000000000001-0000' },
      2,
      '参数at不合法: there is no event at position',
    ],
    [{ question: 'account 9', steps: '0' }, 2, '参数steps不合法: must be a whole number from 1 on'],
    [{ question: 'account 8888888' }, 3, '记录不存在: there is no person 8888888'],
    [{ question: 'visible 8888888 to 1' }, 3, '记录不存在: there is no message 8888888'],
  ])('refuses %j', async (query, code, msg) => {
    expect(await ask(query as Record<string, string>)).toMatchObject({
      code,
      msg: expect.stringContaining(msg),
    });
  });

  test('is for the server alone', async () => {
    const person = await client(running, 'spike');
    const question = `account ${tom.uid}`;
    expect(await ask({ question }, {})).toMatchObject({ code: -1 });
    const token = await person.get('/audit/explain', { question });
    expect(token.code).not.toBe(0);
  });

  test('works on one question at a time, and refuses when many wait', async () => {
    const questions = Array.from({ length: 20 }, () => ask({ question: `account ${tom.uid}` }));
    const codes = (await Promise.all(questions)).map(({ code }) => code);
    expect(codes.filter((code) => code === 0)).toHaveLength(11);
    expect(codes.filter((code) => code === 429)).toHaveLength(9);
  });
});
