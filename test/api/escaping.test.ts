import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { befriend, call, done, person } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const Sync = z.object({
  position: z.string(),
  events: z.array(z.object({ event: z.string(), data: z.unknown() })),
});

const script = `<b title="x">&'`;
const shown = '&lt;b title=&quot;x&quot;&gt;&amp;&#39;';
const escaping = (escape_html: 'on' | 'off') => call(running, 'POST', '/setting/update', { escape_html });

test('what people wrote is escaped for HTML once the setting is on, and stays as it was written', async () => {
  const tom = await person(running, script);
  const jerry = await person(running, 'jerry');
  await befriend(tom, jerry);
  await jerry.post('/friend/remark', { friend_uid: tom.uid, remark: script });
  await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: script });
  const chat = { id: tom.uid, type: 'friend' };
  const history = async () => (await jerry.get('/message/get', chat)).data;
  const home = async () => (await jerry.get('/pop/get')).data;
  expect(await history()).toMatchObject([{ content: script }]);
  expect(await escaping('on')).toEqual(done);
  expect(await history()).toMatchObject([{ content: shown }]);
  expect(await home()).toMatchObject({
    friend: { '#': { [tom.uid]: { name: shown, avatar: '/static/img/avatar.jpg' } } },
    chatting: { [`friend${tom.uid}`]: { name: shown, items: [{ content: shown }] } },
  });
  expect((await jerry.get('/user/get', { uid: tom.uid })).data).toMatchObject({
    ...{ nickname: shown, remark: shown },
  });
  expect((await jerry.get('/message/sync')).data).toMatchObject({ reset: true });
  expect(await escaping('off')).toEqual(done);
  expect(await history()).toMatchObject([{ content: script }]);
});

test('an avatar cannot end the attribute in which a page puts it, and stays an address', async () => {
  const [tom, jerry] = [await person(running, 'tom'), await person(running, 'jerry')];
  const avatar = `https://pictures.example/a.png?size=1&of=tom`;
  await tom.post('/user/update', { avatar: `${avatar}" onerror='x'<>\t` });
  await escaping('on');
  expect((await jerry.get('/user/get', { uid: tom.uid })).data).toMatchObject({
    avatar: `${avatar}%22%20onerror=%27x%27%3C%3E%09`,
  });
  await escaping('off');
});

test('the text beside an application is escaped inside its JSON', async () => {
  const [tom, jerry] = [await person(running, 'tom'), await person(running, 'jerry')];
  await tom.post('/friend/apply', { friend_uid: jerry.uid, postscript: script });
  await escaping('on');
  const { data } = await jerry.get('/friend/applylist');
  expect(data).toMatchObject([{ data: JSON.stringify({ postscript: shown }) }]);
  await escaping('off');
});

test('what was missed is escaped too', async () => {
  const [tom, jerry] = [await person(running, 'tom'), await person(running, 'jerry')];
  const { position: since } = Sync.parse((await jerry.get('/message/sync')).data);
  await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: script });
  await escaping('on');
  const { events } = Sync.parse((await jerry.get('/message/sync', { since })).data);
  expect(events.filter(({ event }) => event === 'message')).toMatchObject([{ data: { content: shown } }]);
  await escaping('off');
});

test('a missed settingChange names the appkey and the address of the websocket, as getsetting does', async () => {
  const jerry = await person(running, 'jerry');
  const { position: since } = Sync.parse((await jerry.get('/message/sync')).data);
  await escaping('on');
  await escaping('off');
  const { data: settings } = await jerry.get('/pop/getsetting');
  const { events } = Sync.parse((await jerry.get('/message/sync', { since })).data);
  const { appkey, ws_address, escape_html } = z
    .object({ appkey: z.string(), ws_address: z.string().regex(/:\d+$/), escape_html: z.literal('off') })
    .parse(settings);
  expect(events.at(-1)).toMatchObject({ data: { id: '2', appkey, ws_address, escape_html } });
});
