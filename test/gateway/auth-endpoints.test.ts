import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defaultSettings } from '../../contracts/settings.ts';
import { tokenHash } from '../../services/accounts/token-hash.ts';
import { sign } from '../../services/app-keys/signature.ts';
import { asServer, authCalls, bearer } from './auth-calls.ts';
import { app, Installation, strangeToken } from './harness.ts';

const installation = await Installation.open();
const { port } = await installation.start();
const { postJson, postForm } = authCalls(port);
const token = await installation.register(9, 'Anne');
await installation.register(10);
await installation.createGroup(50, [9]);
afterAll(() => installation.close());

const Auth = z.object({ auth: z.string(), channel_data: z.string() });

describe('channel auth', () => {
  test.each(['/pusher/auth', '/plugin/webman/push/auth'])('%s signs for JSON and for forms', async (path) => {
    for (const post of [postJson, postForm]) {
      const asked = { socket_id: '12.34', channel_name: 'private-user-9' };
      const { status, body } = await post(path, asked, bearer(token));
      expect(status).toBe(200);
      const { auth, channel_data } = Auth.parse(body);
      expect(JSON.parse(channel_data)).toEqual({ user_id: '9', session: tokenHash(token) });
      expect(auth).toBe(`${app.key}:${sign(app, `12.34:private-user-9:${channel_data}`)}`);
    }
  });

  test('accepts the token in the header, the body or the query', async () => {
    const asked = { socket_id: '1.2', channel_name: 'private-user-9' };
    expect((await postJson('/pusher/auth', asked, bearer(token))).status).toBe(200);
    expect((await postJson('/pusher/auth', asked, { token })).status).toBe(200);
    expect((await postForm('/pusher/auth', { ...asked, token })).status).toBe(200);
    expect((await postForm(`/pusher/auth?token=${token}`, asked)).status).toBe(200);
    expect((await postForm('/pusher/auth', asked)).status).toBe(403);
    expect((await postForm('/pusher/auth', { ...asked, token: strangeToken() })).status).toBe(403);
  });

  test("signs nickname and avatar for a group's presence channel", async () => {
    const asked = { socket_id: '1.2', channel_name: 'presence-group-50' };
    const { body } = await postJson('/pusher/auth', asked, bearer(token));
    expect(JSON.parse(Auth.parse(body).channel_data)).toMatchObject({
      user_id: '9',
      user_info: { nickname: 'Anne', avatar: '/a.jpg' },
    });
  });

  test('escapes nickname and avatar for HTML, like pushes, while the setting is on', async () => {
    const settings = () => ({ ...defaultSettings, escape_html: 'on' as const });
    const { port } = await installation.start({}, installation.bus, { settings });
    const anyone = await installation.register(11, '<b onclick="x">');
    await installation.createGroup(52, [11]);
    const asked = { socket_id: '1.2', channel_name: 'presence-group-52', token: anyone };
    const answer = await fetch(`http://127.0.0.1:${port}/pusher/auth`, {
      ...{ method: 'POST', body: new URLSearchParams(asked) },
    });
    expect(JSON.parse(Auth.parse(await answer.json()).channel_data)).toMatchObject({
      user_info: { uid: 11, nickname: '&lt;b onclick=&quot;x&quot;&gt;' },
    });
  });

  test.each([
    'private-user-10',
    'user-10',
    'private-group-51',
    'presence-group-51',
    'private-audit',
    'private-anything',
    'presence-anything',
    'private-user-9:{"user_id":"10"}',
    '#server-to-user-9',
    '',
  ])('refuses to sign %j for a token', async (channel_name) => {
    const { status } = await postJson('/pusher/auth', { socket_id: '1.2', channel_name }, bearer(token));
    expect(status).toBe(403);
  });

  test.each(['', '1', '1.2:private-user-10', '1.2\n', 'a.b', '1.2.3', '-1.2'])(
    'refuses the socket id %j',
    async (socket_id) => {
      const asked = { socket_id, channel_name: 'private-user-9' };
      expect((await postJson('/pusher/auth', asked, bearer(token))).status).toBe(403);
    },
  );

  test.each([{}, [], { socket_id: ['1.2'], channel_name: { a: 1 } }, { socket_id: 7, channel_name: 7 }])(
    'refuses the parameters %j',
    async (asked) => {
      expect((await postJson('/pusher/auth', asked, bearer(token))).status).toBe(403);
    },
  );

  test('signs the channel of announcements for people who have an account', async () => {
    const asked = { socket_id: '1.2', channel_name: 'private-announcements' };
    expect((await postJson('/pusher/auth', asked, bearer(token))).status).toBe(200);
    expect((await postJson('/pusher/auth', asked)).status).toBe(403);
  });

  test("the server's key may have any private channel signed, and act for a person", async () => {
    const sign = (channel_name: string, more: object = {}) =>
      postJson('/pusher/auth', { socket_id: '1.2', channel_name, ...more }, asServer);
    expect((await sign('private-audit')).status).toBe(200);
    expect((await sign('private-anything')).status).toBe(200);
    expect((await sign('private-user-9')).status).toBe(403);
    const { body } = await sign('private-user-9', { login_uid: 9 });
    expect(JSON.parse(Auth.parse(body).channel_data)).toEqual({ user_id: '9' });
    const wrong = { ...asServer, 'x-app-secret': 'wrong' };
    const asked = { socket_id: '1.2', channel_name: 'private-audit' };
    expect((await postJson('/pusher/auth', asked, wrong)).status).toBe(403);
  });
});

test('user auth signs the user of the token', async () => {
  const { status, body } = await postForm('/pusher/user-auth', { socket_id: '1.2' }, bearer(token));
  expect(status).toBe(200);
  const { auth, user_data } = z.object({ auth: z.string(), user_data: z.string() }).parse(body);
  expect(JSON.parse(user_data)).toMatchObject({ id: '9', session: tokenHash(token) });
  expect(auth).toBe(`${app.key}:${sign(app, `1.2::user::${user_data}`)}`);
  expect((await postForm('/pusher/user-auth', { socket_id: '1.2' })).status).toBe(403);
});
