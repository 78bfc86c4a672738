import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { call, done, type Person, person, refusedWith } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

async function member(nickname: string): Promise<Person> {
  const made = await person(running, nickname);
  await call(running, 'POST', '/user/update', { login_uid: made.uid, is_member: 1 });
  return made;
}

const listed = async (of: Person) => (await of.get('/reply/get')).data;

describe('the replies of a member (会员)', () => {
  test('are none at first: an empty map', async () => {
    expect(await listed(await member('tom'))).toEqual({});
  });

  test('are listed under their type, those of more weight first, then older ones', async () => {
    const tom = await member('tom');
    for (const weights of [5, 100, 5]) {
      const answer = await tom.post('/reply/add', {
        type: 3,
        title: `重 ${weights}`,
        content: '答',
        weights,
      });
      expect(answer).toEqual(done);
    }
    const lists = await listed(tom);
    expect(lists).toEqual({
      '3': [expect.objectContaining({ weights: 100 }), expect.anything(), expect.anything()],
    });
    expect(lists).toMatchObject({
      '3': [
        { title: '重 100', type: 3, keyword: '', content: '答', is_show: 1, is_default: 0 },
        { title: '重 5' },
        { title: '重 5' },
      ],
    });
  });

  test('have one default a type: a new one unsets the old', async () => {
    const tom = await member('tom');
    await tom.post('/reply/add', { type: 1, title: '一', content: '一', is_default: 1 });
    await tom.post('/reply/add', { type: 1, title: '二', content: '二', is_default: 1 });
    await tom.post('/reply/add', { type: 2, title: '三', content: '三', is_default: 1 });
    expect(await listed(tom)).toMatchObject({
      '1': [
        { title: '一', is_default: 0 },
        { title: '二', is_default: 1 },
      ],
      '2': [{ title: '三', is_default: 1 }],
    });
  });

  test('keep what an update leaves out', async () => {
    const tom = await member('tom');
    await tom.post('/reply/add', { type: 3, title: '问', content: '答', weights: 7, is_default: 1 });
    const [{ id }] = Object(await listed(tom))['3'];
    expect(await tom.post('/reply/update', { rid: id, content: '新的答' })).toEqual(done);
    expect(await listed(tom)).toEqual({
      '3': [
        {
          ...{ id, type: 3, title: '问', keyword: '', content: '新的答' },
          is_show: 1,
          weights: 7,
          is_default: 1,
        },
      ],
    });
  });

  test('are deleted once; after that they are not known, nor to others before', async () => {
    const [tom, jerry] = [await member('tom'), await member('jerry')];
    await tom.post('/reply/add', { type: 2, title: '快', content: '捷' });
    const [{ id: rid }] = Object(await listed(tom))['2'];
    expect(await jerry.post('/reply/delete', { rid })).toMatchObject({ code: 3 });
    expect(await jerry.post('/reply/update', { rid, title: '不是我的' })).toMatchObject({ code: 3 });
    expect(await tom.post('/reply/delete', { rid })).toEqual(done);
    expect(await tom.post('/reply/delete', { rid })).toMatchObject({ code: 3 });
    expect(await listed(tom)).toEqual({});
  });

  test.each([
    [{ title: '问', content: '答' }, refusedWith(1, '缺少参数type')],
    [{ type: 4, title: '问', content: '答' }, refusedWith(2, '参数type不合法')],
    [{ type: 3, title: '', content: '答' }, refusedWith(1, '缺少参数title')],
    [{ type: 3, title: '问'.repeat(256), content: '答' }, refusedWith(2, '参数title不合法')],
    [{ type: 3, title: '问', content: '答', is_default: 2 }, refusedWith(2, '参数is_default不合法')],
  ])('are refused as %j', async (given, refusal) => {
    expect(await (await member('tom')).post('/reply/add', given)).toEqual(refusal);
  });

  test('are for members alone', async () => {
    const jerry = await person(running, 'jerry');
    expect(await jerry.get('/reply/get')).toMatchObject({ code: 2 });
    expect(await jerry.post('/reply/add', { type: 2, title: '快', content: '捷' })).toMatchObject({
      code: 2,
    });
  });
});
