import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readModelCategories } from '../../contracts/events/index.ts';
import { isQuery } from '../../contracts/http/contract.ts';
import { readModelsVersion } from '../../projections/rebuild/version.ts';
import { type Auditor, startAuditor } from '../../services/audit/auditor.ts';
import { silent } from '../support/accounts.ts';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { call, client, type Person, refusedWith, two } from '../support/client.ts';
import { servedContracts } from '../support/contracts.ts';
import { sayVersionOfReadModels } from '../support/read-models-version.ts';

let running: RunningApplication;
let tom: Person;
let jerry: Person;
/** Before Tom had his friend. */
let before: string;

beforeAll(async () => {
  running = await startApplication();
  [tom, jerry] = await two(running);
  before = await end();
  await tom.post('/friend/add', { friend_uid: jerry.uid });
  await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: '你好' });
});

afterAll(() => running.stop());

/** The end of what people did: the log also records that somebody asked. */
const end = () => running.application.log.end(readModelCategories);

async function ask(query: Record<string, string>, headers: Record<string, string> = serverKey) {
  const answer = await running.server.inject({ url: '/audit/as-of', query, headers });
  return answer.json();
}

describe('/audit/as-of', () => {
  test('folds the state of a moment', async () => {
    const now = await end();
    expect(await ask({ at: before, query: `friends ${tom.uid}` })).toMatchObject({
      code: 0,
      data: { answer: [] },
    });
    expect((await ask({ at: now, query: `friends ${tom.uid}` })).data.answer).toEqual([
      { uid: jerry.uid, remark: '' },
    ]);
    expect((await ask({ at: before, query: `user ${tom.uid}` })).data.answer).toMatchObject({
      nickname: 'tom',
    });
  });

  test('says so, if a query of the API would need the whole log for want of an index', async () => {
    const answer = await ask({ at: before, query: `pop/get?login_uid=${tom.uid}` });
    expect(answer).toMatchObject(refusedWith(3, '日志没有索引,请使用命令行'));
  });

  describe('with an index of the log', () => {
    let auditor: Auditor;
    beforeAll(async () => {
      const { log } = running.application;
      auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
      const last = await log.end();
      await vi.waitUntil(() => auditor.status().checkpoint >= last, { timeout: 20_000 });
    });
    afterAll(() => auditor.stop());

    test('answers a query as the API did, and changes nothing', async () => {
      const now = await end();
      const query = `message/get?login_uid=${jerry.uid}&id=${tom.uid}&type=friend`;
      const unread = `message/unreadcount?login_uid=${jerry.uid}&id=${tom.uid}&type=friend`;
      expect((await ask({ at: before, query })).data.answer).toEqual({ code: 0, msg: 'ok', data: [] });
      const { data } = await ask({ at: now, query });
      expect(data.answer).toMatchObject({ code: 0, data: [{ content: '你好' }] });
      // Reading then is not reading now.
      expect(await end()).toBe(now);
      expect((await ask({ at: now, query: unread })).data.answer).toEqual({ code: 0, msg: 'ok', data: 1 });
      expect(await jerry.get('/message/unreadcount', { id: tom.uid, type: 'friend' })).toMatchObject({
        data: 1,
      });
    });

    test('escapes what people wrote if the API did so then, and not if it does so now', async () => {
      const script = '<b>&';
      const query = `message/get?login_uid=${jerry.uid}&id=${tom.uid}&type=friend&limit=1`;
      await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: script });
      const unescaped = await end();
      await call(running, 'POST', '/setting/update', { escape_html: 'on' });
      const escaped = await end();
      const answerAt = async (at: string) => (await ask({ at, query })).data.answer;
      expect(await answerAt(unescaped)).toMatchObject({ data: [{ content: script }] });
      await call(running, 'POST', '/setting/update', { escape_html: 'off' });
      expect(await answerAt(unescaped)).toMatchObject({ data: [{ content: script }] });
      expect(await answerAt(escaped)).toMatchObject({ data: [{ content: '&lt;b&gt;&amp;' }] });
    });

    test('takes the parameters of the API as it does: a list in any form, and who asks', async () => {
      const [first, second] = [{ uid: jerry.uid }, { uid: tom.uid }];
      for (const [query, people] of [
        [`user/multiGet?uid[]=${jerry.uid}&uid[]=${tom.uid}`, [first, second]],
        [`user/multiGet?uid=${jerry.uid}&uid=${tom.uid}`, [first, second]],
        [`user/multiGet?uid[1]=${tom.uid}&uid[0]=${jerry.uid}`, [first, second]],
        [`user/multiGet?uid%5B0%5D=${jerry.uid}&login_uid=${tom.uid}`, [first]],
      ] as const)
        expect((await ask({ at: before, query })).data.answer).toMatchObject({ code: 0, data: people });
    });

    test.each([
      // A second question mark is of the value, as in a URL.
      ['pop/get?login_uid=UID?limit=1', { code: 2, msg: '参数login_uid不合法' }],
      ['pop/get?login_uid=UID#limit=1', { code: 2, msg: '参数login_uid不合法' }],
      ['pop/get?login_uid=UID%0a', { code: 2, msg: '参数login_uid不合法' }],
      ['user/list?nickname=%FF', { code: 2, msg: '参数nickname不合法' }],
      ['user/get?uid=UID&password=', { code: 0 }],
    ])('reads %s as the API does', async (form, expected) => {
      const query = form.replace('UID', String(tom.uid));
      const { answer } = (await ask({ at: await end(), query })).data;
      expect(answer).toMatchObject(expected);
      const url = `/api/${query.replace('#', '%23')}`;
      expect(answer).toEqual((await running.server.inject({ url, headers: serverKey })).json());
    });

    test('answers from the log alone, without the read models of now and the index', async () => {
      const query = `message/get?login_uid=${jerry.uid}&id=${tom.uid}&type=friend&limit=1`;
      const at = await end();
      const { answer } = (await ask({ at, query })).data;
      await sayVersionOfReadModels(running, await readModelsVersion());
      onTestFinished(() => sayVersionOfReadModels(running, null));
      const { pool } = running.application;
      await pool.query(`update read.messages set content = content || '伪造'`);
      onTestFinished(async () => {
        await pool.query(`update read.messages set content = replace(content, '伪造', '')`);
      });
      expect(JSON.stringify((await ask({ at, query })).data.answer)).toContain('伪造');
      expect((await ask({ at, query, from_log: '1' })).data.answer).toEqual(answer);
      const friends = `friends ${tom.uid}`;
      expect((await ask({ at, query: friends, from_log: '1' })).data).toEqual(
        (await ask({ at, query: friends })).data,
      );
    });

    test('answers with the refusal that the API gave', async () => {
      const query = 'user/get?uid=8888888';
      expect((await ask({ at: before, query })).data.answer).toMatchObject({ code: 101 });
      expect((await ask({ at: before, query: 'pop/get' })).data.answer).toMatchObject({
        code: 1,
        msg: '缺少参数login_uid',
      });
    });

    test('answers which announcements there were, and which of them a person had seen', async () => {
      const announce = (path: string, payload: Record<string, unknown>) =>
        running.server.inject({
          method: 'POST',
          url: `/api/announcement/${path}`,
          headers: serverKey,
          payload,
        });
      const { id } = (await announce('send', { content: '今晚22点维护' })).json().data;
      const sent = await end();
      await tom.post('/announcement/seen', { id });
      const seen = await end();
      await announce('revoke', { id });
      const query = `announcement/list?login_uid=${tom.uid}`;
      const listed = { announcements: [{ id, content: '今晚22点维护' }] };
      const answers = await Promise.all(
        [before, sent, seen, await end()].map(async (at) => (await ask({ at, query })).data.answer.data),
      );
      expect(answers).toMatchObject([
        { announcements: [], seen: 0, unread: 0 },
        { ...listed, seen: 0, unread: 1 },
        { ...listed, seen: id, unread: 0 },
        { announcements: [], seen: id, unread: 0 },
      ]);
      expect((await ask({ at: sent, query: 'announcement/list' })).data.answer.data).toMatchObject(listed);
    });

    test('finds a person by their username', async () => {
      const { rows } = await running.application.pool.query(
        'select username from read.users where uid = $1',
        [tom.uid],
      );
      const query = `user/get?username=${rows[0].username}`;
      expect((await ask({ at: before, query })).data.answer).toMatchObject({
        code: 0,
        data: { uid: tom.uid },
      });
    });

    test.each([
      [
        'message/send?login_uid=1&to=2&type=friend&content=x',
        '参数query不合法: message/send cannot be answered: it is no query of the API; queries are: announcement/list, ',
      ],
      [
        'message/sync?login_uid=1',
        '参数query不合法: message/sync cannot be answered: it answers from what was pushed, which is in no log',
      ],
      [
        'user/get?username=tom&password=secret-1',
        '参数query不合法: user/get cannot be answered: passwords are in no log',
      ],
      ['user/add?username=tom', '参数query不合法: user/add cannot be answered'],
      ['no/such', '参数query不合法: no/such cannot be answered'],
      [
        'pop/get?login_uid=1&nonsense=3',
        '参数query不合法: nonsense: pop/get has no such parameter: it takes login_uid, limit, start',
      ],
    ])('refuses %s, which is no query of the log', async (query, msg) => {
      expect(await ask({ at: before, query })).toMatchObject({ code: 2, msg: expect.stringContaining(msg) });
    });
  });

  test('every query of the API is answered as the API answers it, or refused for a reason that the documentation names', async () => {
    await running.shown();
    const at = await end();
    const page = await readFile('docs/operations.md', 'utf8');
    const refused: string[] = [];
    for (const contract of servedContracts().filter(isQuery)) {
      const { access, example, methods, path } = contract;
      const mine = access === 'open' || access === 'server' ? {} : { login_uid: tom.uid };
      const given = Object.entries({ ...example.parameters, ...mine });
      const parameters = new URLSearchParams(
        given.flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)])),
      );
      const { data, msg } = await ask({ at, query: `${path.slice(1)}?${parameters}`, from_log: '1' });
      if (data.answer === undefined) {
        expect(msg).toMatch(`参数query不合法: ${path.slice(1)} cannot be answered: `);
        expect(msg).not.toContain('it is no query');
        expect(page).toContain(`\`${path.slice(1)}\``);
        refused.push(path);
        continue;
      }
      const method = methods.includes('GET') ? 'GET' : 'POST';
      const now = await running.server.inject({
        method,
        url: `/api${path}?${parameters}`,
        headers: serverKey,
      });
      expect({ path, answer: data.answer }).toEqual({ path, answer: now.json() });
    }
    expect(refused).toHaveLength(14);
  }, 60_000);

  test('lists of everybody are answered without an index', async () => {
    await running.shown();
    const [answer, now] = await Promise.all([
      ask({ at: await end(), query: 'user/list?limit=2' }),
      call(running, 'GET', '/user/list', { limit: 2 }),
    ]);
    expect(answer.data.answer).toEqual(now);
  });

  test('the lists of a large system are refused, and the command is named', async () => {
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort(new DOMException('', 'TimeoutError')));
    onTestFinished(() => void vi.restoreAllMocks());
    expect(await ask({ at: before, query: 'group/list' })).toMatchObject({
      msg: expect.stringContaining('涉及的事件过多,请使用命令行'),
    });
  });

  test.each([
    [{ query: 'settings' }, 1, '缺少参数at'],
    [{ at: '1700000000' }, 1, '缺少参数query'],
    [
      { at: '1700000000', query: 'pop/get?login_uid=1', limit: '3' },
      2,
      '参数limit不合法: audit/as-of has no such parameter: it takes at, query, from_log',
    ],
    [{ at: 'yesterday', query: 'settings' }, 2, '参数at不合法'],
    [{ at: '2999-01-01T00:00:00Z', query: 'settings' }, 2, '参数at不合法: 2999-01-01 '],
    [{ at: '32472144000', query: 'settings' }, 2, 'is in the future, of which nothing is known yet'],
    [{ at: '1700000000', query: 'group' }, 2, '参数query不合法: "group" should be group GID'],
    [{ at: '1700000000', query: 'weather 9' }, 2, '参数query不合法: there is no query "weather"'],
    [{ at: '1700000000', query: 'user 9' }, 3, '记录不存在: there was no person 9 on 2023-'],
  ])('refuses %j', async (query, code, msg) => {
    expect(await ask(query as Record<string, string>)).toMatchObject({
      code,
      msg: expect.stringContaining(msg),
    });
  });

  test('is for the server alone', async () => {
    expect(await ask({ at: before, query: 'settings' }, {})).toMatchObject({ code: -1 });
    const person = await client(running, 'spike');
    expect((await person.get('/audit/as-of', { at: before, query: 'settings' })).code).not.toBe(0);
  });
});
