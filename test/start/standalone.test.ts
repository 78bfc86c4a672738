import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { PusherClient, pusherOptions } from '../gateway/pusher-js.ts';
import { temporaryFolder } from '../support/folder.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';

const Login = z.object({ uid: z.int(), token: z.string() });
const Codes = z.array(z.object({ code: z.string() }));
const Applications = z.array(z.object({ nid: z.int(), from: z.int(), operation: z.string() }));
const Sent = z.object({ mid: z.int() });
const done = { code: 0, msg: 'ok', data: [] };

/** Registers by SMS, as a new user does, and logs in. */
async function join(bubble: Standalone, username: string, nickname: string, phone: string) {
  expect(await bubble.call('/web/service/send_sms', 'nobody', { phone, type: 'register' })).toEqual(done);
  const inbox = await bubble.call('/dev/sms', 'server', { phone });
  const code = Codes.parse(inbox.data)[0]?.code ?? '';
  const account = { username, nickname, password: 'secret-1', phone, code };
  expect(await bubble.call('/api/login/join', 'nobody', account)).toEqual(done);
  const login = await bubble.call('/api/login/login', 'nobody', { username, password: 'secret-1' });
  return Login.parse(login.data);
}

/** Listens as pusher-js does on a person's private channel; resolves with the next event. */
async function listen(bubble: Standalone, person: { uid: number; token: string }) {
  const pusher = new PusherClient(bubble.key, pusherOptions(bubble.port, person.token));
  onTestFinished(() => pusher.disconnect());
  const channel = pusher.subscribe(`private-user-${person.uid}`);
  await new Promise((resolve, reject) => {
    channel.bind('pusher:subscription_succeeded', resolve);
    channel.bind('pusher:subscription_error', reject);
  });
  return {
    next: (event: string) => new Promise<unknown>((resolve) => channel.bind(event, resolve)),
  };
}

test('two people register, become friends and chat; what was pushed is unread until it is read', async () => {
  const bubble = await startStandalone(await temporaryFolder());
  const tom = await join(bubble, 'tom', '猫猫', '13800000001');
  const jerry = await join(bubble, 'jerry', '小老鼠', '13800000002');
  const atJerry = await listen(bubble, jerry);

  const applied = atJerry.next('friendApply');
  await bubble.call('/api/friend/apply', tom, { friend_uid: jerry.uid, postscript: '你好' });
  expect(await applied).toMatchObject({ uid: tom.uid });
  const received = Applications.parse((await bubble.call('/api/friend/applylist', jerry)).data);
  expect(received).toMatchObject([{ from: tom.uid, operation: 'not_operated' }]);
  expect(await bubble.call('/api/friend/agree', jerry, { nid: received[0]?.nid ?? 0 })).toEqual(done);
  expect((await bubble.call('/api/friend/getlist', jerry)).data).toMatchObject({
    M: { [tom.uid]: { name: '猫猫', initials: 'M' } },
  });

  const pushed = atJerry.next('message');
  const message = { to: jerry.uid, type: 'friend', content: '吃了吗', uniqueId: 'first' };
  const { mid } = Sent.parse((await bubble.call('/api/message/send', tom, message)).data);
  expect(await pushed).toMatchObject({ mid, content: '吃了吗', uniqueId: 'first', from: String(tom.uid) });
  const chat = { id: tom.uid, type: 'friend' };
  expect(await bubble.call('/api/message/unreadcount', jerry, chat)).toMatchObject({ code: 0, data: 1 });
  expect(await bubble.call('/api/message/updateLastReadTime', jerry, chat)).toEqual(done);
  expect(await bubble.call('/api/message/unreadcount', jerry, chat)).toMatchObject({ code: 0, data: 0 });

  bubble.program.signal('SIGTERM');
  expect(await bubble.program.ended).toBe(0);
});

test('after kill -9 nothing acknowledged is missing, and sending it again gives the same mid', async () => {
  const folder = await preparedFolder();
  const before = await startStandalone(folder);
  for (const username of ['tom', 'jerry']) {
    await before.call('/api/user/add', 'server', { username, nickname: username, password: 'secret-1' });
  }
  const chat = { login_uid: 2, id: 1, type: 'friend' };
  const message = { login_uid: 1, to: 2, type: 'friend', content: '在吗', uniqueId: 'kept' };
  const { data: sent } = await before.call('/api/message/send', 'server', message);
  before.program.signal('SIGKILL');
  await before.program.ended;

  const after = await startStandalone(folder);
  await expect
    .poll(() => after.call('/api/message/send', 'server', message))
    .toMatchObject({ code: 0, data: sent });
  expect(await after.call('/api/message/get', 'server', chat)).toMatchObject({
    data: [{ ...Sent.parse(sent), content: '在吗' }],
  });
});

test('a port that another program uses is named, and the start ends', async () => {
  const first = await startStandalone(await preparedFolder());
  const second = startStandalone(await preparedFolder(), { PORT: String(first.port) });
  await expect(second).rejects.toThrow(`port ${first.port} on 127.0.0.1 is used by another program`);
});
