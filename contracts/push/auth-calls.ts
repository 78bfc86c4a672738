import { z } from 'zod';
import { uids } from '../http/example-ids.ts';
import type { PlainCall } from '../http/plain-call.ts';
import { ChannelName, SocketId } from './protocol.ts';

/* The endpoints that sign subscriptions and sign-ins (docs/realtime.md, Signing). */

/** What Pusher's endpoints answer when they refuse. */
export const PusherError = z.object({ error: z.string() }).meta({ id: 'PusherError' });

const signIn = {
  socket_id: SocketId.describe('websocket的socket_id'),
  token: z.string().describe('用户token;也可以使用请求头或cookie').optional(),
  login_uid: z.int().positive().describe('使用服务端密钥时,代表哪个用户').optional(),
};

/** What a client sends to have a subscription signed. */
export const ChannelAuth = z.object({
  ...signIn,
  channel_name: ChannelName.describe('频道,如private-user-9'),
  since: z.string().describe('最后收到的position,订阅后从它继续').optional(),
});

const refused = { meaning: '没有权限,或参数不合法', data: PusherError };
const refuses = ['unreadable', 'tooLarge', 'wrongType', 'tooMany', 'unexpected', 'notReady'] as const;

const channelAuth = {
  method: 'POST',
  access: 'known',
  body: ChannelAuth,
  example: { body: { socket_id: '123456.789', channel_name: `private-user-${uids.tom}` } },
  forms: true,
  refuses,
  answers: {
    200: { meaning: '订阅的签名', data: z.object({ auth: z.string(), channel_data: z.string() }) },
    403: refused,
  },
} as const;

export const pusherAuth: PlainCall = { url: '/pusher/auth', summary: '签名频道的订阅', ...channelAuth };

export const apiAuth: PlainCall = {
  url: '/api/push/auth',
  summary: '签名频道的订阅,/pusher/auth的别名,供原产品的客户端使用',
  ...channelAuth,
};

export const pusherUserAuth: PlainCall = {
  url: '/pusher/user-auth',
  method: 'POST',
  access: 'known',
  summary: '签名websocket的登录(pusher:signin)',
  body: z.object(signIn),
  example: { body: { socket_id: '123456.789' } },
  forms: true,
  refuses,
  answers: {
    200: { meaning: '登录的签名', data: z.object({ auth: z.string(), user_data: z.string() }) },
    403: refused,
  },
};
