import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { PresencePush } from '../../contracts/push/friend.ts';
import { Positioned } from '../../contracts/push/index.ts';
import { agreeText } from '../../services/domain/friendship.ts';
import { befriend, call, type Person, person } from '../support/client.ts';
import { Client } from './client.ts';
import { app } from './harness.ts';
import { loosely, named, say, threeListening } from './three.ts';

const there = threeListening();
const { pushesOf } = there;

describe('presence', () => {
  test('of a friend is sent on both channels of a person, and never to a stranger', async () => {
    const { running, tom, jerry, spike } = there;
    const nibbles = await person(running, 'nibbles');
    await befriend(nibbles, tom);
    // A common group, an application or an ended friendship does not count as friendship.
    await spike.post('/group/create', { members: [nibbles.uid] });
    await spike.post('/friend/apply', { friend_uid: nibbles.uid });
    await befriend(nibbles, jerry);
    await nibbles.post('/friend/delete', { friend_uid: jerry.uid });
    const client = await Client.connect(there.port);
    client.askSigned(`user-${nibbles.uid}`, { user_id: String(nibbles.uid) });
    await client.subscribed(`user-${nibbles.uid}`);
    const announced = (state: 'online' | 'offline') =>
      [`user-${tom.uid}`, `private-user-${tom.uid}`].map((name) => [name, state]);
    await expect.poll(() => presenceOf(tom, nibbles)).toEqual(announced('online'));
    await client.close();
    await expect
      .poll(() => presenceOf(tom, nibbles), { timeout: 5_000 })
      .toEqual([...announced('online'), ...announced('offline')]);
    for (const stranger of [jerry, spike]) {
      await there.socketOf(stranger).caughtUp();
      expect(presenceOf(stranger, nibbles)).toEqual([]);
    }
  });
});

function presenceOf(hearer: Person, { uid }: Person) {
  return there
    .socketOf(hearer)
    .frames.filter(({ event }) => event === 'presence')
    .map(({ channel, data }) => ({ channel, ...PresencePush.parse(data) }))
    .filter((presence) => presence.uid === uid)
    .map(({ channel, state }) => [channel, state]);
}

describe('settingChange', () => {
  test('goes to everyone, anonymous sockets included, if a setting changes', async () => {
    const { running } = there;
    const nobody = await connected();
    await nobody.subscribe('global');
    const app_name = `名字${there.tom.uid}`;
    const change = () => call(running, 'POST', '/setting/update', { app_name });
    expect(await pushesOf(change)).toEqual(
      ['tom', 'jerry', 'spike'].map((name) => [name, 'settingChange', loosely({ app_name })]),
    );
    expect(await nobody.received('settingChange', 'global')).toMatchObject({ data: { app_name } });
    expect(await pushesOf(change)).toEqual([]);
  });

  test('of escape_html changes whether texts are escaped in later pushes', async () => {
    const { running, tom, jerry } = there;
    await befriend(tom, jerry);
    const escaping = (escape_html: 'on' | 'off') => call(running, 'POST', '/setting/update', { escape_html });
    const contents = async () => {
      const send = () => tom.post('/message/send', { to: jerry.uid, type: 'friend', content: '<b>' });
      return (await pushesOf(send)).map(([, event, data]) => [event, data]);
    };
    onTestFinished(async () => void (await escaping('off')));
    expect(await pushesOf(() => escaping('on'))).toContainEqual([
      'spike',
      'settingChange',
      loosely({ escape_html: 'on', appkey: app.key, ws_address: `ws://127.0.0.1:${there.port}` }),
    ]);
    expect(await contents()).toEqual(Array(2).fill(['message', loosely({ content: '&lt;b&gt;' })]));
    await escaping('off');
    expect(await contents()).toEqual(Array(2).fill(['message', loosely({ content: '<b>' })]));
  });
});

describe('profile', () => {
  test('goes to the person, their friends and each group once, and to no stranger', async () => {
    const { tom, jerry } = there;
    await befriend(tom, jerry);
    await there.group();
    const avatar = '/static/img/avatar.jpg';
    const profile = { uid: tom.uid, nickname: 'thomas', avatar };
    expect(await pushesOf(() => tom.post('/user/update', { nickname: 'thomas' }))).toEqual([
      ['tom', 'profile', loosely(profile)],
      ['tom', 'profile', loosely(profile)],
      ['jerry', 'profile', loosely(profile)],
      ['jerry', 'profile', loosely(profile)],
    ]);
    expect(await pushesOf(() => tom.post('/user/update', { avatar: '/upload/a.png' }))).toContainEqual([
      'jerry',
      'profile',
      loosely({ ...profile, avatar: '/upload/a.png' }),
    ]);
  });

  test('is not sent if nickname and avatar stay the same', async () => {
    const { tom, jerry } = there;
    await befriend(tom, jerry);
    expect(await pushesOf(() => tom.post('/user/update', { nickname: 'tom', sign: 'new' }))).toEqual([]);
  });
});

test('messages that were revoked or deleted for all are not in a replay, nor quoted in it', async () => {
  const { tom, jerry } = there;
  const gid = await there.group();
  const { position: since } = Positioned.parse((await tom.get('/message/sync')).data);
  const chat = { to: gid, type: 'group' };
  const send = async (more: object) =>
    z.object({ mid: z.int() }).parse((await tom.post('/message/send', { ...chat, ...more })).data).mid;
  const revoked = await send({ content: 'secret one' });
  const deleted = await send({ content: 'secret two' });
  await send({ content: 'about one', quote_mid: revoked });
  await send({ content: 'about two', quote_mid: deleted });
  await tom.post('/message/revoke', { id: gid, type: 'group', mid: revoked });
  await tom.post('/message/delete', { id: gid, type: 'group', mid: deleted, ty: 2 });
  const client = await connected();
  client.askSigned(`group-${gid}`, { user_id: String(jerry.uid) }, { since });
  await client.received('message_delete');
  const events = client.frames.filter(({ event }) => !event.startsWith('pusher'));
  expect(JSON.stringify(events)).not.toContain('secret');
  expect(events).toMatchObject([
    { event: 'message', data: { mid: revoked, sub_type: 'notice', content: '此消息已撤回' } },
    { event: 'message', data: { content: 'about one', quote_content: '此消息已撤回' } },
    { event: 'message', data: { content: 'about two', quote_content: '' } },
    { event: 'revoke', data: { mid: revoked } },
    { event: 'message_delete', data: { mid: deleted } },
  ]);
});

test('the audit channel gets every message and notice once, and nothing else', async () => {
  const { tom, jerry, spike } = there;
  const audit = await connected();
  audit.askSigned('private-audit');
  await audit.subscribed('private-audit');
  await tom.post('/friend/apply', { friend_uid: jerry.uid });
  await jerry.post('/friend/apply', { friend_uid: tom.uid });
  const gid = await there.group();
  await say(tom, jerry.uid, 'friend', 'between two');
  await say(jerry, gid, 'group', 'in the group');
  await tom.post('/group/memberadd', { gid, members: [spike.uid] });
  await jerry.get('/message/get', { id: tom.uid, type: 'friend' });
  await tom.post('/group/delete', { gid });
  await say(tom, jerry.uid, 'friend', 'the last');
  const created = 'tom创建了群聊,邀请了jerry';
  const contents = [agreeText, created, 'between two', 'in the group', 'tom邀请spike加入了群聊', 'the last'];
  await audit.receivedTimes('message', contents.length);
  const received = audit.frames.filter(({ event }) => !event.startsWith('pusher'));
  expect(received).toEqual(
    contents.map((content) =>
      loosely({ event: 'message', channel: 'private-audit', data: loosely({ content }) }),
    ),
  );
});

test('a stranger cannot subscribe to any channel of a person or group', async () => {
  const { tom, spike } = there;
  const gid = await there.group();
  const client = await connected();
  const names = [`user-${tom.uid}`, `group-${gid}`, `private-user-${tom.uid}`, `private-group-${gid}`];
  for (const name of [...names, `presence-group-${gid}`, 'private-audit', 'private-else', 'presence-else']) {
    client.ask(name);
    await client.refused(name);
    client.frames.length = 0;
    if (name.endsWith('audit') || name.endsWith('else')) continue;
    client.askSigned(name, { user_id: String(spike.uid) });
    await client.refused(name);
    client.frames.length = 0;
  }
  expect(
    named(await pushesOf(() => tom.post('/message/send', { to: gid, type: 'group', content: 'hello' }))),
  ).toEqual([
    ['tom', 'message'],
    ['jerry', 'message'],
  ]);
  await client.caughtUp();
  expect(client.receivedEvents()).toEqual([]);
});

/** A socket without a token; it is closed with the test. */
async function connected(): Promise<Client> {
  const client = await Client.connect(there.port);
  onTestFinished(() => client.close());
  return client;
}
