import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import type { AliyunSms } from '../environment.ts';
import { SmsNotSent, type SmsProvider } from './provider.ts';

/** How long Aliyun may take to answer. The SMS may still be sent after that. */
const timeoutMs = 5000;

/** Aliyun's answers if a phone has reached its limit. */
const tooOften: ReadonlySet<string> = new Set(['isv.BUSINESS_LIMIT_CONTROL', 'isv.DAY_LIMIT_CONTROL']);

/**
 * Sends codes by Aliyun's SMS service. The template has one variable, `code`. Of a client's error
 * only its code is passed on: its message contains the URL with phone and code.
 */
export function connectAliyunSms(account: AliyunSms): SmsProvider {
  const { accessKey, sign, template } = account;
  // Loaded on use: it takes half a second and many megabytes, and most installations do not need it.
  const load = createRequire(import.meta.url);
  const sdk: typeof import('@alicloud/dysmsapi20170525') = load('@alicloud/dysmsapi20170525');
  const { $OpenApiUtil }: typeof import('@alicloud/openapi-core') = load('@alicloud/openapi-core');
  const { protocol, host } = new URL(account.endpoint);
  const client = new sdk.default(
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
    const request = new sdk.SendSmsRequest({
      phoneNumbers: phone,
      signName: sign,
      templateCode: template,
      templateParam: JSON.stringify({ code }),
    });
    try {
      const { body } = await client.sendSms(request);
      return body?.code ?? 'no code';
    } catch (error) {
      const reason = codeOf(error);
      if (isAnswered(error)) return reason;
      throw new Error(`Aliyun did not answer: ${reason}`);
    }
  }

  return {
    local: false,
    async send(phone, _type, code) {
      const over = new AbortController();
      const late = delay(timeoutMs, 'late', { signal: over.signal, ref: false }).catch(() => 'late');
      const answer = await Promise.race([ask(phone, code), late]).finally(() => over.abort());
      if (answer === 'late') throw new Error(`Aliyun did not answer within ${timeoutMs} ms`);
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
