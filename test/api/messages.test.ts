import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { done, type Person, person, two } from '../support/client.ts';

let running: RunningApplication;
let now = Date.now();
beforeAll(async () => {
  running = await startApplication({ now: () => now });
});
afterAll(() => running.stop());

const Mid = z.object({ mid: z.int() });
const History = z.array(z.looseObject({ mid: z.int(), content: z.string() }));

async function say(
  from: Person,
  to: Person,
  content: string,
  more: Record<string, unknown> = {},
): Promise<number> {
  const sent = await from.post('/message/send', { to: to.uid, type: 'friend', content, ...more });
  return Mid.parse(sent.data).mid;
}

const chatWith = (other: Person) => ({ id: other.uid, type: 'friend' });

async function history(of: Person, other: Person, more: Record<string, unknown> = {}) {
  return History.parse((await of.get('/message/get', { ...chatWith(other), ...more })).data);
}

const unread = async (of: Person, other: Person) =>
  (await of.get('/message/unreadcount', chatWith(other))).data;

describe('sending', () => {
  test.each([
    '[表情12]',
    'img[//pop.com/upload/images/a.png]',
    'file[文件名.png|13.48 KB](//pop.com/upload/files/a.png)',
    'voice(//pop.com/upload/files/a.mp3)',
    '[显示字符](https://example.com/?a=1&b=<2>)',
    '<script>alert(1)</script> \' " \\ %s \u202e \u{1f600}',
  ])('passes %s through unharmed', async (content) => {
    const [tom, jerry] = await two(running);
    await say(tom, jerry, content);
    expect(await history(jerry, tom)).toMatchObject([{ content }]);
  });

  test('quotes a message of the conversation, as it is now', async () => {
    const [tom, jerry] = await two(running);
    const spike = await person(running, 'spike');
    const quoted = await say(tom, jerry, '吃了吗');
    await say(jerry, tom, '吃了', { quote_mid: quoted });
    expect(await history(tom, jerry)).toMatchObject([
      { quote_mid: 0, quote_content: '' },
      { content: '吃了', quote_mid: quoted, quote_content: '吃了吗' },
    ]);
    await tom.post('/message/revoke', { ...chatWith(jerry), mid: quoted });
    expect(await history(tom, jerry)).toMatchObject([
      { content: '此消息已撤回', sub_type: 'notice' },
      { quote_content: '此消息已撤回' },
    ]);
    const elsewhere = { to: spike.uid, type: 'friend', content: 'x', quote_mid: quoted };
    expect(await tom.post('/message/send', elsewhere)).toMatchObject({ code: 404 });
  });

  test.each([
    [{}, 1, 'to'],
    [{ to: 5 }, 1, 'type'],
    [{ to: 5, type: 'friend' }, 1, 'content'],
    [{ to: 5, type: 'friend', content: '' }, 1, 'content'],
    [{ to: 5, type: 'foe', content: 'x' }, 2, 'type'],
    [{ to: '1e3', type: 'friend', content: 'x' }, 2, 'to'],
    [{ to: [5], type: 'friend', content: 'x' }, 2, 'to'],
    [{ to: 5, type: 'friend', content: 'a\0b' }, 2, 'content'],
    [{ to: 5, type: 'friend', content: '好'.repeat(2731) }, 2, 'content'],
  ])('with wrong parameters is refused and names the first (%#)', async (parameters, code, name) => {
    const [tom] = await two(running);
    const answer = await tom.post('/message/send', parameters);
    expect(answer).toMatchObject({ code, msg: expect.stringContaining(`参数${name}`) });
  });

  test('to oneself, or to nobody, is refused', async () => {
    const [tom] = await two(running);
    expect(await tom.post('/message/send', { to: tom.uid, type: 'friend', content: 'x' })).toMatchObject({
      code: 2,
    });
    expect(await tom.post('/message/send', { to: 99_999, type: 'friend', content: 'x' })).toMatchObject({
      code: 101,
    });
    expect(await tom.post('/message/send', { to: 99_999, type: 'group', content: 'x' })).toMatchObject({
      code: 2,
    });
  });
});

describe('reading', () => {
  test('pages backwards, oldest first; the first page marks what it shows as read', async () => {
    const [tom, jerry] = await two(running);
    const mids: number[] = [];
    for (let count = 0; count < 5; count++) mids.push(await say(tom, jerry, `m${count}`));
    expect(await unread(jerry, tom)).toBe(5);
    expect((await history(jerry, tom, { limit: 2, mid: mids[4] })).map(({ mid }) => mid)).toEqual(
      mids.slice(2, 4),
    );
    expect(await unread(jerry, tom)).toBe(5);
    expect((await history(jerry, tom, { limit: 2 })).map(({ mid }) => mid)).toEqual(mids.slice(3));
    expect(await unread(jerry, tom)).toBe(0);
    expect(await unread(tom, jerry)).toBe(0);
    expect(await jerry.get('/message/get', { ...chatWith(tom), mid: 99_999_999 })).toMatchObject({
      code: 404,
    });
  });

  test('a deleted message still marks its place', async () => {
    const [tom, jerry] = await two(running);
    const first = await say(tom, jerry, 'first');
    const second = await say(tom, jerry, 'second');
    expect(await tom.post('/message/delete', { ...chatWith(jerry), mid: second, ty: 2 })).toEqual(done);
    expect((await history(jerry, tom, { mid: second })).map(({ mid }) => mid)).toEqual([first]);
  });

  test('by time, by marking, and by a given number', async () => {
    const [tom, jerry] = await two(running);
    await say(tom, jerry, 'early');
    const early = Math.floor(now / 1000);
    now += 10_000;
    await say(tom, jerry, 'late');
    await jerry.post('/friend/update', { friend_uid: tom.uid, last_read_time: early });
    expect(await unread(jerry, tom)).toBe(1);
    await jerry.post('/message/updateLastReadTime', chatWith(tom));
    expect(await unread(jerry, tom)).toBe(0);
    await jerry.post('/friend/update', { friend_uid: tom.uid, last_read_time: early });
    expect(await unread(jerry, tom)).toBe(0);
    await jerry.post('/friend/update', { friend_uid: tom.uid, unread_count: 3 });
    expect(await unread(jerry, tom)).toBe(3);
    await jerry.post('/friend/update', { friend_uid: tom.uid, unread_count: 0 });
    expect(await unread(jerry, tom)).toBe(0);
    expect(await jerry.post('/friend/update', { friend_uid: tom.uid })).toMatchObject({ code: 1 });
  });

  test('removes an unread mark, also if the last message, or all, are deleted', async () => {
    const [tom, jerry] = await two(running);
    const mids = [await say(tom, jerry, '一'), await say(tom, jerry, '二')];
    await history(jerry, tom);
    for (const [index, mid] of mids.toReversed().entries()) {
      await tom.post('/message/delete', { ...chatWith(jerry), mid, ty: 2 });
      await jerry.post('/friend/update', { friend_uid: tom.uid, unread_count: 3 });
      expect(await unread(jerry, tom)).toBe(3);
      expect(await history(jerry, tom)).toHaveLength(1 - index);
      expect(await unread(jerry, tom)).toBe(0);
    }
  });

  test('revoked and deleted messages no longer count as unread', async () => {
    const [tom, jerry] = await two(running);
    const revoked = await say(tom, jerry, 'oops');
    const deleted = await say(tom, jerry, 'gone for me');
    await say(tom, jerry, 'stays');
    await tom.post('/message/revoke', { ...chatWith(jerry), mid: revoked });
    await jerry.post('/message/delete', { ...chatWith(tom), mid: deleted, ty: 1 });
    expect(await unread(jerry, tom)).toBe(1);
    expect(await history(tom, jerry)).toHaveLength(3);
    expect(await history(jerry, tom)).toHaveLength(2);
  });
});

describe('revoking', () => {
  test('is for the sender, and for two minutes', async () => {
    const [tom, jerry] = await two(running);
    const mid = await say(tom, jerry, 'x');
    expect(await jerry.post('/message/revoke', { ...chatWith(tom), mid })).toMatchObject({ code: 2 });
    now += 121_000;
    expect(await tom.post('/message/revoke', { ...chatWith(jerry), mid })).toMatchObject({ code: 505 });
    const fresh = await say(tom, jerry, 'y');
    expect(await tom.post('/message/revoke', { ...chatWith(jerry), mid: fresh })).toEqual(done);
    expect(await tom.post('/message/revoke', { ...chatWith(jerry), mid: fresh })).toEqual(done);
    expect(await tom.post('/message/revoke', { ...chatWith(jerry), mid: 99_999_999 })).toMatchObject({
      code: 404,
    });
  });
});

describe('the list of chats', () => {
  test('hides a chat until the next message, and pins one above the others', async () => {
    const [tom, jerry] = await two(running);
    const spike = await person(running, 'spike');
    const chats = async () => {
      const { data } = await tom.get('/pop/get');
      return Object.keys(z.object({ chatting: z.record(z.string(), z.unknown()) }).parse(data).chatting);
    };
    await say(jerry, tom, 'one');
    await say(spike, tom, 'two');
    expect(await chats()).toEqual([`friend${spike.uid}`, `friend${jerry.uid}`]);
    await tom.post('/friend/update', { friend_uid: jerry.uid, top: 1 });
    expect(await chats()).toEqual([`friend${jerry.uid}`, `friend${spike.uid}`]);
    expect(await tom.post('/pop/delchat', chatWith(jerry))).toEqual(done);
    expect(await chats()).toEqual([`friend${spike.uid}`]);
    expect(await unread(tom, jerry)).toBe(0);
    await say(jerry, tom, 'three');
    expect(await chats()).toEqual([`friend${jerry.uid}`, `friend${spike.uid}`]);
    expect(await unread(tom, jerry)).toBe(1);
  });
});
