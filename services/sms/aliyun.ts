import { createRequire } from 'node:module';
import pTimeout from 'p-timeout';
import { z } from 'zod';
import type { AliyunSms } from '../environment.ts';
import { SmsNotSent, type SmsProvider } from './provider.ts';

/** How long Aliyun may take to answer. The SMS may still be sent after that. */
const defaultTimeoutMs = 5_000;

/** Aliyun's answers if a phone has reached its limit. */
const tooOften: ReadonlySet<string> = new Set(['isv.BUSINESS_LIMIT_CONTROL', 'isv.DAY_LIMIT_CONTROL']);

/** The call that sends an SMS. Aliyun's own package for it has 80 more, and takes 6 MB. */
const sendSms = {
  ...{ action: 'SendSms', version: '2017-05-25', style: 'RPC', method: 'POST', pathname: '/' },
  ...{ protocol: 'HTTPS', authType: 'AK', reqBodyType: 'formData', bodyType: 'json' },
};

const Answer = z.object({ body: z.object({ Code: z.string() }) });

/**
 * Sends codes by Aliyun's SMS service. The template has one variable, `code`. Of a client's error
 * only its code is passed on: its message contains the URL with phone and code.
 */
export function connectAliyunSms(account: AliyunSms, timeoutMs = defaultTimeoutMs): SmsProvider {
  const { accessKey, sign, template } = account;
  // Loaded on use: it takes half a second and many megabytes, and most installations do not need it.
  const load = createRequire(import.meta.url);
  const { default: Client, $OpenApiUtil }: typeof import('@alicloud/openapi-core') =
    load('@alicloud/openapi-core');
  const { RuntimeOptions }: typeof import('@darabonba/typescript') = load('@darabonba/typescript');
  const { protocol, host } = new URL(account.endpoint);
  const client = new Client(
    new $OpenApiUtil.Config({
      accessKeyId: accessKey.key,
      accessKeySecret: accessKey.secret,
      protocol: protocol.slice(0, -1),
      endpoint: host,
      connectTimeout: timeoutMs,
      readTimeout: timeoutMs,
    }),
  );

  /** Aliyun's answer: `OK`, or a reason. @throws Error if the SMS may have been sent */
  async function ask(phone: string, code: string): Promise<string> {
    const query = {
      PhoneNumbers: phone,
      SignName: sign,
      TemplateCode: template,
      TemplateParam: JSON.stringify({ code }),
    };
    try {
      const answer = await client.callApi(
        new $OpenApiUtil.Params(sendSms),
        new $OpenApiUtil.OpenApiRequest({ query }),
        new RuntimeOptions({}),
      );
      return Answer.safeParse(answer).data?.body.Code ?? 'no code';
    } catch (error) {
      const reason = codeOf(error);
      if (isAnswered(error)) return reason;
      throw new Error(`Aliyun did not answer: ${reason}`);
    }
  }

  return {
    local: false,
    async send(phone, _type, code) {
      const late = new Error(`Aliyun did not answer within ${timeoutMs} ms`);
      const answer = await pTimeout(ask(phone, code), { milliseconds: timeoutMs, message: late });
      if (answer !== 'OK') throw new SmsNotSent(`Aliyun refused: ${answer}`, tooOften.has(answer));
    },
  };
}

/** The code or name of an error. Its message is not used. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error ? String(error.code) : error.name;
  return /^[\w.-]{1,80}$/.test(code) ? code : 'unknown';
}

/** Whether Aliyun refused. After any other error the SMS may have been sent. */
function isAnswered(error: unknown): boolean {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 0;
  return status >= 400 && status < 500;
}
