import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agreeText } from '../../services/domain/friendship.ts';
import { befriend, call, type Person } from '../support/client.ts';
import { loosely, say, threeListening } from './three.ts';

const there = threeListening();
const { pushesOf } = there;

const Applications = z.array(z.object({ nid: z.int() }));

/** The number of the newest application that someone was sent. */
async function applicationTo(person: Person): Promise<number> {
  const [newest] = Applications.parse((await person.get('/friend/applylist')).data);
  return newest?.nid ?? 0;
}

describe('friendApply', () => {
  test('goes to the person who is asked, and again with another text', async () => {
    const { tom, jerry } = there;
    const ask = (postscript: string) => tom.post('/friend/apply', { friend_uid: jerry.uid, postscript });
    const asked = [['jerry', 'friendApply', { uid: tom.uid }]];
    expect(await pushesOf(() => ask('please'))).toEqual(asked);
    expect(await pushesOf(() => ask('please'))).toEqual([]);
    expect(await pushesOf(() => ask('pretty please'))).toEqual(asked);
  });

  test('goes to nobody if the two are friends', async () => {
    const { tom, jerry } = there;
    await befriend(tom, jerry);
    expect(await pushesOf(() => tom.post('/friend/apply', { friend_uid: jerry.uid }))).toEqual([]);
  });

  test('has no answer if the application is refused', async () => {
    const { tom, jerry } = there;
    await tom.post('/friend/apply', { friend_uid: jerry.uid });
    const nid = await applicationTo(jerry);
    expect(await pushesOf(() => jerry.post('/friend/refuse', { nid }))).toEqual([]);
  });
});

describe('addFriend', () => {
  test('goes to both, once, and so does removeFriend', async () => {
    const { tom, jerry } = there;
    const add = () => tom.post('/friend/add', { friend_uid: jerry.uid });
    const remove = () => tom.post('/friend/delete', { friend_uid: jerry.uid });
    expect(await pushesOf(add)).toEqual([
      ['tom', 'addFriend', loosely({ uid: jerry.uid, name: 'jerry' })],
      ['jerry', 'addFriend', loosely({ uid: tom.uid, name: 'tom' })],
    ]);
    expect(await pushesOf(add)).toEqual([]);
    expect(await pushesOf(remove)).toEqual([
      ['tom', 'removeFriend', { uid: jerry.uid }],
      ['jerry', 'removeFriend', { uid: tom.uid }],
    ]);
    expect(await pushesOf(remove)).toEqual([]);
  });

  test('goes to both before the greeting, if one agrees or applies in turn', async () => {
    const { tom, jerry, spike } = there;
    for (const asked of [jerry, spike]) {
      await tom.post('/friend/apply', { friend_uid: asked.uid });
      const nid = await applicationTo(asked);
      const received = await pushesOf(() =>
        asked === jerry
          ? asked.post('/friend/agree', { nid })
          : asked.post('/friend/apply', { friend_uid: tom.uid }),
      );
      const greeting = loosely({ from: String(asked.uid), to: String(tom.uid), content: agreeText });
      expect(received).toEqual([
        ['tom', 'addFriend', loosely({ uid: asked.uid })],
        ['tom', 'message', greeting],
        [asked.nickname, 'addFriend', loosely({ uid: tom.uid })],
        [asked.nickname, 'message', greeting],
      ]);
    }
  });

  test('goes to a 会员 who opens an account for somebody', async () => {
    const { running, tom } = there;
    await call(running, 'POST', '/user/update', { login_uid: tom.uid, is_member: 1 });
    const account = { username: `kid${tom.uid}`, nickname: 'kid', password: 'secret-1' };
    const received = await pushesOf(() => tom.post('/user/open_user', account));
    expect(received).toEqual([['tom', 'addFriend', loosely({ name: 'kid' })]]);
  });
});

describe('message', () => {
  test('goes to both, so that the sender’s other devices get it', async () => {
    const { tom, jerry } = there;
    await befriend(tom, jerry);
    const received = await pushesOf(() =>
      tom.post('/message/send', { to: jerry.uid, type: 'friend', content: 'hello', uniqueId: 'one' }),
    );
    const message = { from: String(tom.uid), to: String(jerry.uid), content: 'hello', uniqueId: 'one' };
    expect(received).toEqual([
      ['tom', 'message', loosely(message)],
      ['jerry', 'message', loosely(message)],
    ]);
  });

  test('with a known uniqueId goes to nobody', async () => {
    const { tom, jerry } = there;
    await befriend(tom, jerry);
    const message = { to: jerry.uid, type: 'friend', content: 'hello', uniqueId: 'twice' };
    await tom.post('/message/send', message);
    expect(await pushesOf(() => tom.post('/message/send', message))).toEqual([]);
  });

  test('names its sender by the reader’s remark, and no push reveals the remark', async () => {
    const { tom, jerry } = there;
    await befriend(tom, jerry);
    const remark = { friend_uid: tom.uid, remark: 'the cat' };
    expect(await pushesOf(() => jerry.post('/friend/remark', remark))).toEqual([]);
    const received = await pushesOf(() =>
      tom.post('/message/send', { to: jerry.uid, type: 'friend', content: 'hello' }),
    );
    expect(received).toEqual([
      ['tom', 'message', loosely({ from_name: 'tom' })],
      ['jerry', 'message', loosely({ from_name: 'the cat' })],
    ]);
  });
});

describe('a message that is revoked or deleted', () => {
  test.each([
    ['/message/revoke', 'revoke', {}],
    ['/message/delete', 'message_delete', { ty: 2 }],
  ])(
    "by %s is announced to both, once, with the chat's id from each one’s side",
    async (path, event, more) => {
      const { tom, jerry } = there;
      await befriend(tom, jerry);
      const mid = await say(tom, jerry.uid, 'friend');
      const takeBack = () => tom.post(path, { id: jerry.uid, type: 'friend', mid, ...more });
      expect(await pushesOf(takeBack)).toEqual([
        ['tom', event, { type: 'friend', id: jerry.uid, mid, uid: tom.uid }],
        ['jerry', event, { type: 'friend', id: tom.uid, mid, uid: tom.uid }],
      ]);
      expect(await pushesOf(takeBack)).toEqual([]);
    },
  );

  test('for oneself alone is announced to one’s own devices', async () => {
    const { tom, jerry } = there;
    await befriend(tom, jerry);
    const mid = await say(tom, jerry.uid, 'friend');
    const received = await pushesOf(() =>
      tom.post('/message/delete', { id: jerry.uid, type: 'friend', mid, ty: 1 }),
    );
    expect(received).toEqual([
      ['tom', 'message_delete', { type: 'friend', id: jerry.uid, mid, uid: tom.uid }],
    ]);
  });
});

describe('read', () => {
  test.each(['/message/get', '/message/updateLastReadTime'])(
    'goes to both if %s reads new messages, and to nobody if all are read',
    async (path) => {
      const { tom, jerry } = there;
      await befriend(tom, jerry);
      const mid = await say(tom, jerry.uid, 'friend');
      const chat = { id: tom.uid, type: 'friend' };
      const read = () => (path === '/message/get' ? jerry.get(path, chat) : jerry.post(path, chat));
      expect(await pushesOf(read)).toEqual([
        ['tom', 'read', { type: 'friend', id: jerry.uid, mid, uid: jerry.uid }],
        ['jerry', 'read', { type: 'friend', id: tom.uid, mid, uid: jerry.uid }],
      ]);
      expect(await pushesOf(read)).toEqual([]);
    },
  );

  test('is not sent for changes of one’s own list of chats', async () => {
    const { tom, jerry } = there;
    await befriend(tom, jerry);
    await say(tom, jerry.uid, 'friend');
    for (const change of [{ top: 1 }, { state: 'hidden' }, { state: 'chatting' }, { unread_count: 1 }]) {
      const changed = () => jerry.post('/friend/update', { friend_uid: tom.uid, ...change });
      expect(await pushesOf(changed)).toEqual([]);
    }
  });
});
