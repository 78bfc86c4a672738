import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { befriend, done, type Person, person, refusedWith, three, two } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const Applications = z.array(z.object({ nid: z.int(), operation: z.string(), data: z.string() }));

async function applications(of: Person) {
  return Applications.parse((await of.get('/friend/applylist')).data);
}

describe('applying', () => {
  test('is listed for the other person with its text, and counted until it is answered', async () => {
    const [tom, jerry] = await two(running, '猫猫', '小老鼠');
    expect(await tom.post('/friend/apply', { friend_uid: jerry.uid, postscript: '我是cat' })).toEqual(done);
    expect(await jerry.get('/friend/applycount')).toMatchObject({ data: 1 });
    expect((await jerry.get('/friend/applylist')).data).toEqual([
      {
        nid: expect.any(Number),
        from: tom.uid,
        to: jerry.uid,
        type: 'add_friend',
        data: '{"postscript":"我是cat"}',
        operation: 'not_operated',
        timestamp: expect.any(Number),
        nickname: '猫猫',
        avatar: '/static/img/avatar.jpg',
      },
    ]);
    const [{ nid } = { nid: 0 }] = await applications(jerry);
    expect(await jerry.post('/friend/agree', { nid })).toEqual(done);
    expect(await jerry.post('/friend/agree', { nid })).toEqual(done);
    expect(await jerry.get('/friend/applycount')).toMatchObject({ data: 0 });
    expect(await jerry.get('/friend/applydetail', { nid })).toMatchObject({ data: { operation: 'agree' } });
    const greeting = {
      from: String(jerry.uid),
      content: '我通过了你的好友请求,我们来聊天吧',
      sub_type: 'message',
    };
    expect(await tom.get('/message/unreadcount', { id: jerry.uid, type: 'friend' })).toMatchObject({
      data: 1,
    });
    expect((await tom.get('/message/get', { id: jerry.uid, type: 'friend' })).data).toMatchObject([greeting]);
  });

  test('again keeps the nid and replaces the text; after a refusal it gets a new nid', async () => {
    const [tom, jerry] = await two(running);
    await tom.post('/friend/apply', { friend_uid: jerry.uid, postscript: 'one' });
    const [first] = await applications(jerry);
    await tom.post('/friend/apply', { friend_uid: jerry.uid, postscript: 'two' });
    expect(await applications(jerry)).toEqual([{ ...first, data: '{"postscript":"two"}' }]);
    expect(await jerry.post('/friend/refuse', { nid: first?.nid })).toEqual(done);
    expect(await jerry.post('/friend/agree', { nid: first?.nid })).toMatchObject({ code: 210 });
    await tom.post('/friend/apply', { friend_uid: jerry.uid });
    const [newest, older] = await applications(jerry);
    expect(newest?.nid).not.toBe(first?.nid);
    expect(older).toMatchObject({ nid: first?.nid, operation: 'refuse' });
  });

  test('to a person who has applied to me counts as agreeing', async () => {
    const [tom, jerry] = await two(running);
    await tom.post('/friend/apply', { friend_uid: jerry.uid });
    expect(await jerry.post('/friend/apply', { friend_uid: tom.uid })).toEqual(done);
    expect(await tom.get('/user/get', { uid: jerry.uid })).toMatchObject({ data: { is_friend: true } });
  });

  test('is refused to oneself, to nobody, and by a disabled account', async () => {
    const [tom, jerry] = await two(running);
    expect(await tom.post('/friend/apply', { friend_uid: tom.uid })).toMatchObject({ code: 2 });
    expect(await tom.post('/friend/apply', { friend_uid: 999_999 })).toMatchObject({ code: 101 });
    expect(await tom.post('/friend/apply')).toEqual(refusedWith(1, '缺少参数friend_uid'));
    await tom.post('/user/update', { account_state: 'disabled' });
    expect(await tom.post('/friend/apply', { friend_uid: jerry.uid })).toMatchObject({ code: 85 });
  });

  test('of others cannot be answered by me', async () => {
    const [tom, jerry, spike] = await three(running);
    await tom.post('/friend/apply', { friend_uid: jerry.uid });
    const [application] = await applications(jerry);
    for (const path of ['/friend/agree', '/friend/refuse']) {
      expect(await spike.post(path, { nid: application?.nid })).toMatchObject({ code: 3 });
      expect(await tom.post(path, { nid: application?.nid })).toMatchObject({ code: 3 });
    }
  });
});

describe('the contact list', () => {
  test('is grouped by the initials of remark or nickname, A to Z, then #', async () => {
    const me = await person(running, '我');
    const [shan, tom] = await two(running, '单田芳', 'tom');
    const [smile, cat] = await two(running, '😀', '猫猫');
    for (const other of [shan, tom, smile, cat]) await befriend(me, other);
    await me.post('/friend/remark', { friend_uid: tom.uid, remark: '喵' });
    const { data } = await me.get('/friend/getlist');
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(data))).toEqual(['M', 'S', '#']);
    expect(data).toMatchObject({
      S: { [shan.uid]: { uid: shan.uid, name: '单田芳', initials: 'S', state: 'offline', is_member: 0 } },
      M: { [cat.uid]: { name: '猫猫' }, [tom.uid]: { name: '喵' } },
      '#': { [smile.uid]: { name: '😀' } },
    });
  });

  test('loses who is deleted, on both sides, and the chat with them, but not the history', async () => {
    const [tom, jerry] = await two(running);
    await befriend(tom, jerry);
    await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: 'hi' });
    expect(await tom.post('/friend/delete', { friend_uid: jerry.uid })).toEqual(done);
    expect(await tom.post('/friend/delete', { friend_uid: jerry.uid })).toEqual(done);
    for (const person of [tom, jerry]) {
      expect(await person.get('/friend/getlist')).toMatchObject({ data: {} });
      expect(await person.get('/pop/get')).toMatchObject({ data: { friend: {}, chatting: {} } });
    }
    expect(await jerry.get('/message/unreadcount', { id: tom.uid, type: 'friend' })).toMatchObject({
      data: 0,
    });
    expect((await jerry.get('/message/get', { id: tom.uid, type: 'friend' })).data).toHaveLength(1);
    await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: 'still there?' });
    expect(await jerry.get('/friend/get_temp_list')).toMatchObject({
      data: { T: { [tom.uid]: { name: 'tom' } } },
    });
  });

  test('accepts a remark on a friend only', async () => {
    const [tom, jerry] = await two(running);
    expect(await tom.post('/friend/remark', { friend_uid: jerry.uid, remark: 'x' })).toMatchObject({
      code: 2,
    });
    await befriend(tom, jerry);
    expect(await tom.post('/friend/remark', { friend_uid: jerry.uid, remark: '小杰' })).toEqual(done);
    const seen = { data: { is_friend: true, remark: '小杰' } };
    expect(await tom.get('/user/get', { uid: jerry.uid })).toMatchObject(seen);
    expect(await tom.post('/friend/remark', { friend_uid: jerry.uid, remark: '' })).toEqual(done);
    expect(await tom.get('/user/get', { uid: jerry.uid })).toMatchObject({ data: { remark: '' } });
  });
});
