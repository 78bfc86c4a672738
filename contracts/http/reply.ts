import { z } from 'zod';
import { ReplyType } from '../events/reply.ts';
import { contract } from './contract.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

const caller = { login_uid: parameter.loginUid };
const type = parameter.integer(1, 3).pipe(ReplyType);
const content = parameter.bytes(8192);
const order = { weights: parameter.integer().optional(), is_default: parameter.flag.optional() };

/** A customer-service reply as `reply/get` shows it. */
export const Reply = z.object({
  id: z.int(),
  type: ReplyType,
  title: z.string(),
  keyword: z.literal(''),
  content: z.string(),
  is_show: z.literal(1),
  weights: z.int(),
  is_default: z.union([z.literal(0), z.literal(1)]),
});
export type Reply = z.infer<typeof Reply>;

/** Replies by type; only types that hold something are keys. */
export const ReplyLists = z.record(z.string(), z.array(Reply));
export type ReplyLists = z.infer<typeof ReplyLists>;

export const replyGet = contract({
  path: '/reply/get',
  methods: ['GET'],
  access: 'user',
  summary: '获取回复消息列表(会员专有)',
  parameters: z.object(caller),
  data: ReplyLists,
});

export const replyAdd = contract({
  path: '/reply/add',
  methods: ['POST'],
  access: 'user',
  summary: '添加回复消息(会员专有)',
  parameters: z.object({ ...caller, type, title: parameter.text(1, 255), content, ...order }),
  data: nothing,
});

export const replyUpdate = contract({
  path: '/reply/update',
  methods: ['POST'],
  access: 'user',
  summary: '更新回复消息(会员专有)',
  parameters: z.object({
    ...caller,
    rid: parameter.integer(1),
    type: type.optional(),
    title: parameter.text(1, 255).optional(),
    content: content.optional(),
    ...order,
  }),
  data: nothing,
});

export const replyDelete = contract({
  path: '/reply/delete',
  methods: ['POST'],
  access: 'user',
  summary: '删除回复消息(会员专有)',
  parameters: z.object({ ...caller, rid: parameter.integer(1) }),
  data: nothing,
});
