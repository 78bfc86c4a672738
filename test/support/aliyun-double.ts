import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AliyunSms } from '../../services/environment.ts';
import type { AtEnd } from './at-end.ts';

/** What SendSms is to answer; by default it sends. */
export type AliyunAnswer = 'ok' | 'limit' | 'no balance' | 'wrong key' | 'broken' | 'silent' | 'hang up';

/** An SMS as it was asked for. */
export interface AskedSms {
  readonly phone: string | null;
  readonly sign: string | null;
  readonly template: string | null;
  readonly parameters: unknown;
  readonly authorization: string | undefined;
}

/** A double of Aliyun's SMS service: it answers as Aliyun was seen to, and shows how we react. */
export interface AliyunDouble {
  readonly account: AliyunSms;
  readonly asked: readonly AskedSms[];
  /** From now on. */
  answer(answer: AliyunAnswer): void;
}

const answers: Readonly<Record<'ok' | 'limit' | 'no balance' | 'wrong key' | 'broken', [number, object]>> = {
  ok: [200, { Code: 'OK', Message: 'OK', BizId: '900619746936498440^0', RequestId: 'F655A8D5' }],
  limit: [
    200,
    { Code: 'isv.BUSINESS_LIMIT_CONTROL', Message: '触发分钟级流控Permits:1', RequestId: 'F655A8D5' },
  ],
  'no balance': [200, { Code: 'isv.AMOUNT_NOT_ENOUGH', Message: '账户余额不足', RequestId: 'F655A8D5' }],
  'wrong key': [
    404,
    {
      Code: 'InvalidAccessKeyId.NotFound',
      Message: 'Specified access key is not found.',
      RequestId: 'F655A8D5',
    },
  ],
  broken: [503, { Code: 'ServiceUnavailable', Message: 'The request has failed.', RequestId: 'F655A8D5' }],
};

/** Starts the double on a port of its own; it is gone with what `atEnd` takes. */
export async function startAliyun(atEnd: AtEnd): Promise<AliyunDouble> {
  const asked: AskedSms[] = [];
  let now: AliyunAnswer = 'ok';
  const take = (request: IncomingMessage, response: ServerResponse) => {
    const { searchParams: given } = new URL(request.url ?? '', 'http://aliyun');
    asked.push({
      phone: given.get('PhoneNumbers'),
      sign: given.get('SignName'),
      template: given.get('TemplateCode'),
      parameters: JSON.parse(given.get('TemplateParam') ?? 'null'),
      authorization: request.headers.authorization,
    });
    if (now === 'silent') return;
    if (now === 'hang up') {
      request.socket.destroy();
      return;
    }
    const [status, body] = answers[now];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer(take).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    account: {
      accessKey: { key: 'test-id', secret: 'test-secret' },
      sign: '泡泡',
      template: 'SMS_123456',
      endpoint: `http://127.0.0.1:${address.port}`,
    },
    asked,
    answer: (answer) => {
      now = answer;
    },
  };
}
