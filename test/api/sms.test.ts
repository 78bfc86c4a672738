import { beforeAll, expect, test } from 'vitest';
import { type AliyunDouble, startAliyun } from '../support/aliyun-double.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { afterAllTests } from '../support/at-end.ts';
import { call, done, type Envelope, refusedWith } from '../support/client.ts';

const atEnd = afterAllTests();
let aliyun: AliyunDouble;
let running: RunningApplication;
beforeAll(async () => {
  aliyun = await startAliyun(atEnd);
  running = await startApplication({ aliyunSms: aliyun.account });
  atEnd(() => running.stop());
});

let people = 0;

/** Joins by a code that Aliyun carried; gives what resets the password. */
async function joined(): Promise<{ phone: string; ask(): Promise<Envelope> }> {
  people += 1;
  const phone = String(13_700_000_000 + people);
  const password = 'secret-1';
  aliyun.answer('ok');
  expect(await call(running, 'POST', '/service/send_sms', { phone, type: 'register' }, {})).toEqual(done);
  await expect.poll(() => aliyun.asked.at(-1)?.phone).toBe(phone);
  const account = { username: `joined${people}`, nickname: '猫猫', password, phone };
  const parameters = aliyun.asked.at(-1)?.parameters;
  expect(await call(running, 'POST', '/login/join', { ...account, ...Object(parameters) }, {})).toEqual(done);
  const { data } = await call(running, 'POST', '/login/login', { username: account.username, password }, {});
  const headers = { authorization: `Bearer ${Object(data).token}` };
  return {
    phone,
    ask: () => call(running, 'POST', '/user/send_sms_pass', { phone, type: 'retrieve' }, headers),
  };
}

test('who joins gets the code by SMS, and no inbox shows it', async () => {
  const { phone } = await joined();
  const inbox = await running.server.inject({ url: '/dev/sms', query: { phone } });
  expect(inbox.statusCode).toBe(404);
});

test('a code that the provider refused is reported, and does not count as sent', async () => {
  const { ask } = await joined();
  aliyun.answer('no balance');
  expect(await ask()).toEqual(refusedWith(211, '短信发送失败,请稍后再试'));
  aliyun.answer('limit');
  expect(await ask()).toEqual(refusedWith(211, '该手机号获取短信过于频繁,请稍后再试'));
  aliyun.answer('ok');
  expect(await ask()).toEqual(done);
});

test('a code that may be on its way is reported as doubtful, and counts', async () => {
  const { ask } = await joined();
  aliyun.answer('broken');
  expect(await ask()).toEqual(refusedWith(211, '短信可能没有发出,请留意手机,稍后可重新获取'));
  aliyun.answer('ok');
  expect(await ask()).toMatchObject(refusedWith(2, '获取验证码过于频繁,请60秒后再试'));
});

test('a stranger gets the same answer and the same limits, sent or not', async () => {
  const ask = (phone: string) => call(running, 'POST', '/service/send_sms', { phone, type: 'register' }, {});
  aliyun.answer('no balance');
  expect(await ask('13600000000')).toEqual(done);
  expect(await ask('13600000000')).toMatchObject({ code: 2 });
});
