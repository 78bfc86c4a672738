import { z } from 'zod';
import { contract } from './contract.ts';
import { applications, uids } from './example-ids.ts';
import * as example from './examples.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

const caller = { login_uid: parameter.loginUid };
const pair = { ...caller, friend_uid: parameter.uid.describe('对方uid') };
/** The application's id, `nid` in these calls. */
const application = { ...caller, nid: parameter.integer(1).describe('好友申请的nid') };

/** Strangers' chats or applications of one answer, some 200 KB. */
const maxListed = 1_000;
/** Friends of one answer: twice as many as most clients can show. */
export const maxFriendsListed = 10_000;

const page = (max: number) => ({ ...caller, limit: parameter.limit(max, max), start: parameter.start });

/** One person of a contact list. */
export const Contact = z
  .object({
    uid: z.int(),
    avatar: z.string(),
    state: z.enum(['online', 'offline']),
    /** The remark, else the nickname. */
    name: z.string(),
    initials: z.string(),
    is_member: z.union([z.literal(0), z.literal(1)]),
  })
  .meta({ id: 'Contact' });
export type Contact = z.infer<typeof Contact>;

/** People by initial (A–Z, then #), then by uid. */
export const ContactList = z.record(z.string(), z.record(z.string(), Contact)).meta({ id: 'ContactList' });
export type ContactList = z.infer<typeof ContactList>;

/** An application as its recipient sees it. */
export const FriendApplication = z
  .object({
    nid: z.int(),
    from: z.int(),
    to: z.int(),
    /** `join_group`: `from` invites into a group. */
    type: z.enum(['add_friend', 'join_group']),
    /** JSON: `{"postscript": …}`, with `gid` and `groupname` in an invitation. */
    data: z.string(),
    operation: z.enum(['not_operated', 'refuse', 'agree']),
    timestamp: z.int(),
    nickname: z.string(),
    avatar: z.string(),
  })
  .meta({ id: 'FriendApplication' });
export type FriendApplication = z.infer<typeof FriendApplication>;

export const friendApply = contract({
  path: '/friend/apply',
  methods: ['POST'],
  access: 'user',
  summary: '发起好友申请',
  refuses: ['noUser', 'disabled', 'addFriendOff', 'tooOften'],
  example: { parameters: { friend_uid: uids.zhao, postscript: '我是汤小满' }, data: [] },
  parameters: z.object({ ...pair, postscript: parameter.mayBeEmpty().describe('附言').default('') }),
  data: nothing,
});

export const friendAgree = contract({
  path: '/friend/agree',
  methods: ['POST'],
  access: 'user',
  summary: '同意好友申请',
  refuses: ['noUser', 'noRecord', 'disabled', 'alreadyAnswered', 'noGroup', 'limitReached'],
  example: { parameters: { nid: applications.fromSun }, data: [] },
  parameters: z.object(application),
  data: nothing,
});

export const friendRefuse = contract({
  path: '/friend/refuse',
  methods: ['POST'],
  access: 'user',
  summary: '拒绝好友申请',
  refuses: ['noRecord', 'alreadyAnswered', 'noGroup'],
  example: { parameters: { nid: applications.fromWang }, data: [] },
  parameters: z.object(application),
  data: nothing,
});

export const friendAdd = contract({
  path: '/friend/add',
  methods: ['POST'],
  access: 'server as user',
  summary: '加好友',
  refuses: ['noUser'],
  example: { parameters: { login_uid: uids.jerry, friend_uid: uids.chen }, data: [] },
  parameters: z.object(pair),
  data: nothing,
});

export const friendRemark = contract({
  path: '/friend/remark',
  methods: ['POST'],
  access: 'user',
  summary: '设置好友备注',
  example: { parameters: { friend_uid: uids.jerry, remark: '备注名' }, data: [] },
  parameters: z.object({ ...pair, remark: parameter.mayBeEmpty().describe('备注名') }),
  data: nothing,
});

export const friendApplyList = contract({
  path: '/friend/applylist',
  methods: ['GET'],
  access: 'user',
  summary: '获取好友申请列表',
  example: { parameters: {}, data: [example.application] },
  parameters: z.object(page(maxListed)),
  data: z.array(FriendApplication),
});

export const friendApplyCount = contract({
  path: '/friend/applycount',
  methods: ['GET'],
  access: 'user',
  summary: '获取未处理好友申请数',
  example: { parameters: {}, data: 1 },
  parameters: z.object(caller),
  data: z.int(),
});

export const friendApplyDetail = contract({
  path: '/friend/applydetail',
  methods: ['GET'],
  access: 'user',
  summary: '获取好友申请详情',
  refuses: ['noRecord'],
  example: { parameters: { nid: applications.fromSun }, data: { ...example.application, username: 'sunyi' } },
  parameters: z.object(application),
  data: FriendApplication.extend({ username: z.string() }),
});

export const friendGetList = contract({
  path: '/friend/getlist',
  methods: ['GET'],
  access: 'user',
  summary: '获取好友列表(通讯录)',
  example: { parameters: {}, data: example.contacts },
  parameters: z.object(page(maxFriendsListed)),
  data: ContactList,
});

export const friendGetTempList = contract({
  path: '/friend/get_temp_list',
  methods: ['GET'],
  access: 'user',
  summary: '获取临时会话玩家列表',
  example: { parameters: {}, data: example.contacts },
  parameters: z.object(page(maxListed)),
  data: ContactList,
});

export const friendDelete = contract({
  path: '/friend/delete',
  methods: ['POST'],
  access: 'user',
  summary: '删除好友',
  example: { parameters: { friend_uid: uids.anna }, data: [] },
  parameters: z.object(pair),
  data: nothing,
});

export const friendUpdate = contract({
  path: '/friend/update',
  methods: ['POST'],
  access: 'user',
  summary: '更新好友信息',
  refuses: ['noUser'],
  example: { parameters: { friend_uid: uids.jerry, top: 1 }, data: [] },
  parameters: z.object({
    ...pair,
    state: parameter.oneOf('chatting', 'hidden').describe('chatting显示在消息列表,hidden不显示').optional(),
    last_read_time: parameter.integer().describe('上次读消息时间戳').optional(),
    unread_count: parameter.integer().describe('未读消息数').optional(),
    top: parameter.flag.describe('是否置顶:0不置顶,1置顶').optional(),
  }),
  data: nothing,
});
