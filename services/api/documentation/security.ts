import type { Access } from '../../../contracts/http/contract.ts';
import type { PlainAccess } from '../../../contracts/http/plain-call.ts';
import type { Shape } from './schemas.ts';

/** How a request may be authorized, for `components.securitySchemes`. */
export const securitySchemes = {
  token: { type: 'http', scheme: 'bearer', description: '登录接口返回的token' },
  cookie: { type: 'apiKey', in: 'cookie', name: 'token', description: '登录接口设置的cookie' },
  appKey: { type: 'apiKey', in: 'header', name: 'X-App-Key', description: '服务端密钥的APP_KEY' },
  appSecret: { type: 'apiKey', in: 'header', name: 'X-App-Secret', description: '服务端密钥的APP_SECRET' },
  signature: {
    type: 'apiKey',
    in: 'query',
    name: 'auth_signature',
    description:
      'Pusher HTTP API的签名,连同auth_key、auth_timestamp、auth_version和body_md5;由Pusher的服务端库生成',
  },
};

const key = { appKey: [], appSecret: [] };
const tokenOrKey = [{ token: [] }, { cookie: [] }, key];

/** What a call accepts, by who may make it. */
export const securityOf: Readonly<Record<Access | PlainAccess, readonly Shape[]>> = {
  open: [{}],
  known: tokenOrKey,
  user: tokenOrKey,
  'server as user': [key],
  server: [key],
  signed: [{ signature: [] }],
};
