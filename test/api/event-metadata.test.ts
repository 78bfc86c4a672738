import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { StreamName } from '../../services/log/log.ts';
import { type RunningApplication, serverKey, startApplication, testApp } from '../support/application.ts';
import { call, client, person } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  // A proxy may name the client, as X-Forwarded-For here does.
  running = await startApplication({ trust: () => true });
});
afterAll(() => running.stop());

/** The last events of a stream, in order. */
async function lastOf(stream: string, count = 1) {
  const records = [];
  const options = { direction: 'backwards', limit: count } as const;
  for await (const record of running.application.log.readStream(stream as StreamName, options)) {
    records.unshift(record);
  }
  return records;
}

async function lastMetadata(stream: string) {
  return (await lastOf(stream))[0]?.metadata;
}

const from = (address: string) => ({ 'x-forwarded-for': address });
const Login = z.object({ token: z.string() });

async function loggedIn(nickname: string) {
  const username = `${nickname}x${process.pid}`;
  const account = { username, nickname, password: 'secret-1' };
  const added = await call(running, 'POST', '/user/add', account);
  const { uid } = z.object({ uid: z.int() }).parse(added.data);
  const bearers = [];
  for (let login = 0; login < 2; login++) {
    const { token } = Login.parse((await call(running, 'POST', '/login/login', account, {})).data);
    bearers.push({ authorization: `Bearer ${token}`, ...from('203.0.113.77') });
  }
  return { uid, bearers, stream: `user-${uid}` };
}

const rename = (headers: Readonly<Record<string, string>>, parameters = {}) =>
  call(running, 'POST', '/user/update', { nickname: `n${Math.random()}`, ...parameters }, headers);

describe('the metadata of an event', () => {
  test('name the person, which of their logins it was, the network of the client, and the request', async () => {
    const tom = await loggedIn('tom');
    const sessions = [];
    for (const bearer of tom.bearers) {
      const answer = await running.server.inject({
        ...{ method: 'POST', url: '/api/user/update', headers: bearer },
        payload: { sign: `s${sessions.length}` },
      });
      const request = answer.headers['x-request-id'];
      const metadata = await lastMetadata(tom.stream);
      expect(metadata).toEqual({
        time: expect.any(Number),
        actor: String(tom.uid),
        session: expect.stringMatching(/^[0-9a-f]{16}$/),
        address: '203.0.113.0/24',
        version: 1,
        $correlationId: request,
        $causationId: request,
      });
      sessions.push(metadata?.session);
    }
    expect(new Set(sessions).size).toBe(2);
    await rename(tom.bearers[0] ?? {});
    expect(await lastMetadata(tom.stream)).toMatchObject({ session: sessions[0] });
  });

  test("name the server's key and for whom it acted, never a secret", async () => {
    const tom = await person(running, 'tom');
    await rename({ ...serverKey, ...from('2001:db8:1:2::3') }, { login_uid: tom.uid });
    const [event] = await lastOf(`user-${tom.uid}`);
    expect(event?.metadata).toMatchObject({
      ...{ actor: 'server', key: testApp.key, for: tom.uid, address: '2001:db8:1::/48' },
    });
    expect(event?.metadata).not.toHaveProperty('session');
    expect(event?.raw.metadata).not.toContain(testApp.secret);
  });

  test('say of a stranger who registers that it was nobody', async () => {
    await call(running, 'POST', '/setting/update', { register_sms: 'off' });
    const account = { username: `stranger${process.pid}`, nickname: 'stranger', password: 'secret-1' };
    expect(await call(running, 'POST', '/login/join', account, from('198.51.100.9'))).toMatchObject({
      code: 0,
    });
    const found = await running.application.names.byUsername(account.username);
    const metadata = await lastMetadata(`user-${found?.uid}`);
    expect(metadata).toMatchObject({ actor: 'nobody', address: '198.51.100.0/24' });
    expect(metadata).not.toHaveProperty('for');
  });

  test('name the message that an automatic answer answers as its cause, in the same request', async () => {
    const [tom, helper] = [await client(running, 'tom'), await person(running, 'helper')];
    await call(running, 'POST', '/user/update', { login_uid: helper.uid, is_member: 1 });
    await helper.post('/reply/add', { type: 1, title: '欢迎', content: '您好', is_default: 1 });
    await tom.post('/message/send', { to: helper.uid, type: 'friend', content: '在吗' });
    const [lower, higher] = [tom.uid, helper.uid].sort((one, other) => one - other);
    const [message, answer] = await lastOf(`conversation-f${lower}-${higher}`, 2);
    expect(answer?.data).toMatchObject({ automatic: true });
    expect(answer?.metadata).toMatchObject({
      actor: String(tom.uid),
      $causationId: message?.id,
      $correlationId: message?.metadata.$correlationId,
    });
  });

  test('keep all of an address, its network, or nothing of it, as the setting audit_address says', async () => {
    const { stream, bearers } = await loggedIn('jerry');
    const set = (audit_address: string) => call(running, 'POST', '/setting/update', { audit_address });
    const kept = async (headers = bearers[0] ?? {}) => {
      await rename(headers);
      return (await lastMetadata(stream))?.address;
    };
    expect((await set('some')).code).toBe(2);
    await set('full');
    expect(await kept()).toBe('203.0.113.77');
    expect(await kept({ ...bearers[0], ...from('2001:db8::7') })).toBe('2001:db8::7');
    await set('off');
    expect(await kept()).toBeUndefined();
    await set('short');
    expect(await kept({ ...bearers[0], ...from('::ffff:203.0.113.9') })).toBe('203.0.113.0/24');
  });
});
