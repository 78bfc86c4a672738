import { z } from 'zod';
import { PublicSettings } from '../settings.ts';
import { contract } from './contract.ts';
import { uids } from './example-ids.ts';
import * as example from './examples.ts';
import { ContactList } from './friend.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

/** Chats of one answer: some 300 KB; 50,000 would be 14 MB. */
const maxChats = 1_000;

/** The last message of a chat in the list; `name` in groups only. */
const LastMessage = z
  .object({
    mid: z.int(),
    from: z.string(),
    to: z.string(),
    content: z.string(),
    timestamp: z.int(),
    sub_type: z.enum(['message', 'notice']),
    avatar: z.string(),
    name: z.string().optional(),
  })
  .meta({ id: 'LastMessage' });

/** A chat of the list; `url` and `key` in groups only. */
export const ChattingEntry = z
  .object({
    type: z.enum(['friend', 'group']),
    id: z.int(),
    url: z.string().optional(),
    avatar: z.string(),
    name: z.string(),
    unread_count: z.int(),
    top: z.union([z.literal(0), z.literal(1)]),
    key: z.string().optional(),
    items: z.array(LastMessage),
  })
  .meta({ id: 'Chat' });
export type ChattingEntry = z.infer<typeof ChattingEntry>;

/** The person who is logged in, as their home page shows them. */
export const Mine = z
  .object({
    uid: z.int(),
    username: z.string(),
    sign: z.string(),
    nickname: z.string(),
    avatar: z.string(),
    unread_friend_apply_count: z.int(),
  })
  .meta({ id: 'Me' });

const shownSettings = {
  ...PublicSettings.shape,
  dirty_words: z.literal(''),
  appkey: z.string(),
  ws_address: z.string(),
};

/** The settings as `pop/getsetting` shows them. */
export const ShownSettings = z.object({ id: z.literal('2'), ...shownSettings }).meta({ id: 'Setting' });
export type ShownSettings = z.infer<typeof ShownSettings>;

export const popGet = contract({
  path: '/pop/get',
  methods: ['GET'],
  access: 'user',
  summary: '获取当前登录用户的主页信息',
  refuses: ['noUser'],
  example: { parameters: {}, data: example.home },
  parameters: z.object({
    login_uid: parameter.loginUid,
    limit: parameter
      .limit(maxChats, maxChats)
      .describe(`chatting最多多少个对话,超过${maxChats}按${maxChats};更多的用start翻页`),
    start: parameter.start.describe('chatting从第几个对话之后开始:置顶在前,再按最后消息从新到旧'),
  }),
  data: z.object({
    mine: Mine,
    friend: ContactList,
    group: z.array(
      z.object({ gid: z.int(), avatar: z.string(), name: z.string(), uid: z.int().describe('群主') }),
    ),
    chatting: z.record(z.string(), ChattingEntry),
    setting: z.object({ id: z.literal(2), ...shownSettings }),
  }),
});

export const popDelChat = contract({
  path: '/pop/delchat',
  methods: ['POST'],
  access: 'user',
  summary: '删除对话',
  refuses: ['noUser', 'noGroup'],
  example: { parameters: { id: uids.jerry, type: 'friend' }, data: [] },
  parameters: z.object({
    login_uid: parameter.loginUid,
    id: parameter.integer(1).describe('群组gid或好友uid,取决于type'),
    type: parameter.chatType,
  }),
  data: nothing,
});

export const popGetSetting = contract({
  path: '/pop/getsetting',
  methods: ['GET'],
  access: 'open',
  summary: '获取系统配置',
  example: { parameters: {}, data: example.shownSettings },
  parameters: z.object({}),
  data: ShownSettings,
});
