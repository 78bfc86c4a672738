import { z } from 'zod';
import { contract } from './contract.ts';
import { mid, uids } from './example-ids.ts';
import * as example from './examples.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

const caller = { login_uid: parameter.loginUid };
/** A chat as the caller names it: by the other person's uid, or the gid. */
const chat = {
  ...caller,
  id: parameter.integer(1).describe('群组gid或好友uid,取决于type'),
  type: parameter.chatType,
};

/** A message as `message/get` shows it; `name` in groups only. */
export const Message = z
  .object({
    mid: z.int(),
    from: z.string(),
    avatar: z.string(),
    name: z.string().optional(),
    timestamp: z.int(),
    content: z.string(),
    sub_type: z.enum(['message', 'notice']),
    quote_mid: z.int(),
    quote_content: z.string(),
  })
  .meta({ id: 'Message' });
export type Message = z.infer<typeof Message>;

export const messageSend = contract({
  path: '/message/send',
  methods: ['POST'],
  access: 'user',
  summary: '发送消息',
  refuses: ['noUser', 'disabled', 'chatOff', 'noGroup', 'notFriends', 'muted', 'groupMuted', 'noMessage'],
  example: {
    parameters: { to: uids.jerry, type: 'friend', content: '你好', quote_mid: mid, uniqueId: 'c5b1f0d2' },
    data: { mid: 45 },
  },
  parameters: z.object({
    ...caller,
    to: parameter.integer(1).describe('接收者,群组gid或好友uid,取决于type'),
    type: parameter.chatType,
    content: parameter.bytes(8192).describe('消息内容'),
    quote_mid: parameter.integer().describe('引用的消息mid').optional(),
    uniqueId: parameter
      .text(1, 64)
      .describe('客户端生成的唯一id,重复发送得到同一个mid;16位以下的纯数字只在推送中原样返回')
      .optional(),
  }),
  data: z.object({ mid: z.int() }),
});

export const messageGet = contract({
  path: '/message/get',
  methods: ['GET'],
  access: 'user',
  summary: '获得消息历史记录',
  refuses: ['noMessage'],
  example: { parameters: { id: uids.jerry, type: 'friend', limit: 20 }, data: example.messages },
  parameters: z.object({
    ...chat,
    limit: parameter.limit(100, 20),
    mid: parameter.mid.describe('查找此消息之前的记录,用于分页').optional(),
  }),
  data: z.array(Message),
});

export const messageRevoke = contract({
  path: '/message/revoke',
  methods: ['POST'],
  access: 'known',
  summary: '撤回消息;服务端密钥不带login_uid时可随时撤回任何人的消息(id为会话任一方的uid或群组gid)',
  refuses: ['noUser', 'disabled', 'noMessage', 'tooLate', 'noGroup'],
  example: {
    parameters: { id: uids.jerry, type: 'friend', mid },
    data: [],
    needs: '消息在2分钟内发出,或使用服务端密钥',
  },
  parameters: z.object({ ...chat, mid: parameter.mid }),
  data: nothing,
});

export const messageDelete = contract({
  path: '/message/delete',
  methods: ['POST'],
  access: 'user',
  summary: '删除消息',
  refuses: ['noUser', 'disabled', 'noMessage', 'tooLate', 'noGroup'],
  example: { parameters: { id: uids.jerry, type: 'friend', mid, ty: 1 }, data: [] },
  parameters: z.object({ ...chat, mid: parameter.mid, ty: parameter.integer(1, 2).describe('1单删,2全删') }),
  data: nothing,
});

export const messageUnreadCount = contract({
  path: '/message/unreadcount',
  methods: ['GET'],
  access: 'user',
  summary: '获得与某用户/群的未读消息数',
  example: { parameters: { id: uids.jerry, type: 'friend' }, data: 3 },
  parameters: z.object(chat),
  data: z.int(),
});

export const messageUpdateLastReadTime = contract({
  path: '/message/updateLastReadTime',
  methods: ['POST'],
  access: 'user',
  summary: '更新消息最后读取时间',
  example: { parameters: { id: uids.jerry, type: 'friend' }, data: [] },
  parameters: z.object(chat),
  data: nothing,
});

export const messageSync = contract({
  path: '/message/sync',
  methods: ['GET'],
  access: 'user',
  summary: '同步某位置之后的推送',
  example: {
    parameters: { since: '37f888b9651a.0000000000000008.0', limit: 200 },
    data: example.missedPushes,
  },
  parameters: z.object({
    ...caller,
    since: parameter.text(1, 200).describe('上次得到的position').optional(),
    limit: parameter.limit(1000, 200),
  }),
  data: z.object({
    events: z.array(
      z.object({
        channel: z.string(),
        event: z.string(),
        data: z.record(z.string(), z.unknown()),
        position: z.string(),
      }),
    ),
    position: z.string(),
    reset: z.boolean(),
  }),
});
