import { z } from 'zod';
import type { RunningApplication } from './application.ts';
import { call } from './client.ts';

const Codes = z.array(z.object({ type: z.string(), code: z.string() }));

/** The last code that was sent to a phone for a purpose. */
export async function smsCode(running: RunningApplication, phone: string, purpose: string): Promise<string> {
  const sent = await running.server.inject({
    url: `/dev/sms?phone=${phone}`,
    headers: { 'x-app-key': running.application.app.key, 'x-app-secret': running.application.app.secret },
  });
  const codes = z.object({ data: Codes }).parse(sent.json()).data;
  return codes.find(({ type }) => type === purpose)?.code ?? 'none was sent';
}

/** Has someone join by a phone of theirs, as a page does. @returns their uid */
export async function join(
  running: RunningApplication,
  account: { username: string; phone: string; password: string },
): Promise<number> {
  const { username, phone } = account;
  await call(running, 'POST', '/service/send_sms', { phone, type: 'register' }, {});
  const code = await smsCode(running, phone, 'register');
  await call(running, 'POST', '/login/join', { ...account, nickname: username, code }, {});
  const found = await call(running, 'GET', '/user/get', { username });
  return z.object({ uid: z.int() }).parse(found.data).uid;
}

let people = 0;
/** An account as a page sends it, with a username and a phone of its own. */
export function newAccount() {
  const number = ++people;
  return {
    ...{ username: `joiner${number}`, nickname: '猫猫', password: 'secret-1' },
    phone: String(13_700_000_000 + number),
  };
}

/** Has someone join and log in. */
export async function joined(running: RunningApplication) {
  const made = newAccount();
  const uid = await join(running, made);
  const login = { phone: made.phone, password: made.password };
  const { data } = await call(running, 'POST', '/login/login', login, {});
  const { token } = z.object({ token: z.string() }).parse(data);
  return { ...made, uid, bearer: { authorization: `Bearer ${token}` } };
}
