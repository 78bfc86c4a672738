import type { z } from 'zod';
import { type CodeName, codes } from '../../../contracts/codes.ts';
import type { Access, Contract } from '../../../contracts/http/contract.ts';
import { introduction } from './introduction.ts';
import { type Shape, shapeOf } from './shape.ts';

/** A contract as it is served. */
export interface ServedContract {
  readonly contract: Contract;
  /** Whether it is served under each of the API's prefixes, or under its path only. */
  readonly prefixed: boolean;
}

const tags: Readonly<Record<string, string>> = {
  login: '登录',
  service: '短信',
  user: '用户接口',
  friend: '好友接口',
  group: '群组接口',
  message: '消息接口',
  pop: '聚合接口',
  reply: '回复消息接口',
  upload: '上传',
  qrcode: '二维码',
  setting: '系统配置',
  announcement: '公告',
  audit: '审计',
  system: '系统状况',
  dev: '开发',
};

const key = { appKey: [], appSecret: [] };
const token = [{ token: [] }, { cookie: [] }];
const security: Readonly<Record<Access, readonly Shape[]>> = {
  open: [{}],
  known: [...token, key],
  user: [...token, key],
  'server as user': [key],
  server: [key],
};

/** The OpenAPI 3.1 document of all calls, made from their contracts. */
export function describeApi(served: readonly ServedContract[], prefixes: readonly string[]): Shape {
  const paths: Record<string, Shape> = {};
  for (const { contract, prefixed } of served) {
    const operations = contract.methods.map((method) => [method.toLowerCase(), operation(contract, method)]);
    paths[contract.path] = {
      ...(prefixed ? {} : { servers: [{ url: '/' }] }),
      ...Object.fromEntries(operations),
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'bubble-im', version: '0.1.0', description: introduction },
    servers: prefixes.map((url) => ({ url })),
    tags: Object.values(tags).map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: '登录接口返回的token' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'token' },
        appKey: { type: 'apiKey', in: 'header', name: 'X-App-Key' },
        appSecret: { type: 'apiKey', in: 'header', name: 'X-App-Secret' },
      },
      responses: Object.fromEntries(unreached.map((reason) => [reason, refusedBeforehand(reason)])),
    },
  };
}

/** The refusals of any request before its handler. */
const unreached = ['unreadable', 'tooLarge', 'wrongType', 'tooMany', 'unexpected', 'notReady'] as const;

function refusedBeforehand(reason: (typeof unreached)[number]): Shape {
  const { code, msg } = codes[reason];
  return { description: msg, content: { 'application/json': { schema: refused, example: { code, msg } } } };
}

const refused = {
  type: 'object',
  properties: { code: { type: 'integer', not: { const: 0 } }, msg: { type: 'string' } },
  required: ['code', 'msg'],
};

function operation(contract: Contract, method: 'GET' | 'POST'): Shape {
  const [, resource = ''] = contract.path.split('/');
  return {
    operationId: `${method.toLowerCase()}${contract.path.replaceAll('/', '_')}`,
    tags: [tags[resource] ?? resource],
    summary: contract.summary,
    ...(contract.ours && { description: '泡泡IM没有的接口,本系统新增' }),
    ...(contract.aliasOf && { description: `别名,等同于 ${contract.aliasOf},供原产品的客户端使用` }),
    security: security[contract.access],
    ...(method === 'GET' ? { parameters: queryOf(contract) } : bodyOf(contract)),
    responses: {
      '200': answerOf(contract),
      ...Object.fromEntries(
        unreached.map((reason) => [codes[reason].status, { $ref: `#/components/responses/${reason}` }]),
      ),
    },
  };
}

/** The parameters as one object; those are required that refuse undefined. */
function inputOf({ parameters }: Contract): { properties: Record<string, Shape>; required: string[] } {
  const fields = Object.entries<z.ZodType>(parameters.shape);
  return {
    properties: Object.fromEntries(fields.map(([name, field]) => [name, shapeOf(field, 'input')])),
    required: fields.filter(([, field]) => !field.safeParse(undefined).success).map(([name]) => name),
  };
}

function queryOf(contract: Contract): Shape[] {
  const { properties, required } = inputOf(contract);
  return Object.entries(properties).map(([name, { description, ...schema }]) => {
    const given = contract.example.parameters[name];
    return {
      ...{ name, in: 'query', required: required.includes(name), schema },
      ...(description === undefined ? {} : { description }),
      ...(given === undefined ? {} : { example: given }),
    };
  });
}

function bodyOf(contract: Contract): Shape {
  const { properties, required } = inputOf(contract);
  const schema = { type: 'object', properties, ...(required.length > 0 ? { required } : {}) };
  const { upload, example } = contract;
  const kinds = upload
    ? ['multipart/form-data']
    : ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];
  const body = upload ? { schema } : { schema, example: example.parameters };
  return { requestBody: { content: Object.fromEntries(kinds.map((kind) => [kind, body])) } };
}

function answerOf(contract: Contract): Shape {
  const { picture, data, example, access, refuses = [] } = contract;
  const reasons: CodeName[] = [
    ...(access === 'open' ? [] : (['notLoggedIn'] as const)),
    ...(Object.keys(contract.parameters.shape).length === 0 ? [] : (['missing', 'illegal'] as const)),
    ...refuses,
  ];
  const refusals = reasons.map((reason) => {
    const { code, msg } = codes[reason];
    return [`${code} ${reason}`, { summary: `${code} ${msg}`, value: { code, msg } }];
  });
  const success = { type: 'object', properties: successShape(data), required: ['code', 'msg', 'data'] };
  const json = picture
    ? { schema: refused, examples: Object.fromEntries(refusals) }
    : {
        schema: { anyOf: [success, refused] },
        examples: Object.fromEntries([
          ['ok', { summary: '0 ok', value: { code: 0, msg: 'ok', data: example.data } }],
          ...refusals,
        ]),
      };
  return {
    description: picture
      ? '图片流;拒绝时为JSON'
      : `code:0 ok${reasons.map((reason) => `、${codes[reason].code} ${codes[reason].msg}`).join('')}`,
    content: {
      ...(picture ? { [picture]: { schema: { type: 'string', format: 'binary' } } } : {}),
      'application/json': json,
    },
  };
}

function successShape(data: Contract['data']): Shape {
  return { code: { const: 0 }, msg: { const: 'ok' }, data: shapeOf(data, 'output') };
}
