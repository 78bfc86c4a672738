import { z } from 'zod';
import { ReplyType } from '../events/reply.ts';
import { contract } from './contract.ts';
import { replyId } from './example-ids.ts';
import * as example from './examples.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

const caller = { login_uid: parameter.loginUid };
const type = parameter
  .integer(1, 3)
  .pipe(ReplyType)
  .meta({ shown: { type: 'integer', enum: [1, 2, 3] }, description: '1欢迎语,2快捷回复,3常见问题' });
const title = parameter.text(1, 255).describe('标题;type=3时为问题');
const content = parameter.bytes(8192).describe('内容');
const order = {
  weights: parameter.integer().describe('排序,越大越靠前').optional(),
  is_default: parameter.flag.describe('是否设置成默认').optional(),
};

/** A customer-service reply as `reply/get` shows it. */
export const Reply = z
  .object({
    id: z.int(),
    type: ReplyType,
    title: z.string(),
    keyword: z.literal(''),
    content: z.string(),
    is_show: z.literal(1),
    weights: z.int(),
    is_default: z.union([z.literal(0), z.literal(1)]),
  })
  .meta({ id: 'Reply' });
export type Reply = z.infer<typeof Reply>;

/** Replies by type, without empty types. */
export const ReplyLists = z.record(z.string(), z.array(Reply)).meta({ id: 'ReplyLists' });
export type ReplyLists = z.infer<typeof ReplyLists>;

export const replyGet = contract({
  path: '/reply/get',
  methods: ['GET'],
  access: 'user',
  summary: '获取回复消息列表(会员专有)',
  refuses: ['noUser'],
  example: { parameters: {}, data: example.replies },
  parameters: z.object(caller),
  data: ReplyLists,
});

export const replyAdd = contract({
  path: '/reply/add',
  methods: ['POST'],
  access: 'user',
  summary: '添加回复消息(会员专有)',
  refuses: ['noUser', 'limitReached'],
  example: {
    parameters: { type: 3, title: '怎么报名', content: '在群里说一声就行', weights: 100 },
    data: [],
  },
  parameters: z.object({ ...caller, type, title, content, ...order }),
  data: nothing,
});

export const replyUpdate = contract({
  path: '/reply/update',
  methods: ['POST'],
  access: 'user',
  summary: '更新回复消息(会员专有)',
  refuses: ['noUser', 'noRecord'],
  example: { parameters: { rid: replyId, type: 3, title: '营业时间', content: '每天8:00到18:00' }, data: [] },
  parameters: z.object({
    ...caller,
    rid: parameter.integer(1).describe('回复消息的id'),
    type: type.optional(),
    title: title.optional(),
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
  refuses: ['noUser', 'noRecord'],
  example: { parameters: { rid: replyId }, data: [] },
  parameters: z.object({ ...caller, rid: parameter.integer(1).describe('回复消息的id') }),
  data: nothing,
});
