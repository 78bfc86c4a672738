import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectAliyunSms } from '../../services/sms/aliyun.ts';
import { type AliyunAnswer, startAliyun } from '../support/aliyun-double.ts';

const phone = '13800000000';
const code = '654321';

/** The provider, and a double of Aliyun. */
async function prepare(answer: AliyunAnswer, timeoutMs?: number) {
  const aliyun = await startAliyun(onTestFinished);
  aliyun.answer(answer);
  return { aliyun, provider: connectAliyunSms(aliyun.account, timeoutMs) };
}

/** How sending fails. */
async function failureAt(answer: AliyunAnswer, timeoutMs?: number): Promise<unknown> {
  const { provider } = await prepare(answer, timeoutMs);
  return provider.send(phone, 'register', code).then(
    () => 'it did not fail',
    (error: unknown) => error,
  );
}

describe('Aliyun (a double: a test of our reactions)', () => {
  test('is asked with sign, template and code, under the signature of the key', async () => {
    const { aliyun, provider } = await prepare('ok');
    await provider.send(phone, 'register', code);
    expect(aliyun.asked).toEqual([
      {
        ...{ phone, sign: '泡泡', template: 'SMS_123456', parameters: { code } },
        authorization: expect.stringMatching(
          /^ACS3-HMAC-SHA256 Credential=test-id,.*Signature=[0-9a-f]{64}$/,
        ),
      },
    ]);
  });

  test.each([
    ['limit', true, 'isv.BUSINESS_LIMIT_CONTROL'],
    ['no balance', false, 'isv.AMOUNT_NOT_ENOUGH'],
    ['wrong key', false, 'InvalidAccessKeyId.NotFound'],
  ] as const)('that refuses (%s) did not send it', async (answer, tooOften, reason) => {
    expect(await failureAt(answer)).toMatchObject({
      ...{ name: 'SmsNotSent', tooOften },
      message: `Aliyun refused: ${reason}`,
    });
  });

  test.each([
    ['broken', undefined],
    ['hang up', undefined],
    ['silent', 500],
  ] as const)('that does not answer (%s) may yet send it', async (answer, timeoutMs) => {
    expect(await failureAt(answer, timeoutMs)).toMatchObject({
      name: 'Error',
      message: expect.stringContaining('Aliyun did not answer'),
    });
  });

  test('that is not there at all is no other case', async () => {
    const provider = connectAliyunSms({
      ...(await startAliyun(onTestFinished)).account,
      endpoint: 'http://127.0.0.1:1',
    });
    await expect(provider.send(phone, 'register', code)).rejects.toThrow('Aliyun did not answer');
  });

  test.each(['limit', 'wrong key', 'broken', 'hang up'] as const)(
    'that fails (%s) brings neither phone nor code into the log',
    async (answer) => {
      const failure = inspect(await failureAt(answer), { depth: 10, showHidden: true });
      expect(failure).not.toMatch(/13800000000|654321|test-secret/);
    },
  );
});
