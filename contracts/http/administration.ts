import { z } from 'zod';
import { contract } from './contract.ts';
import { gids, phones, uids } from './example-ids.ts';
import * as example from './examples.ts';
import { GroupInfo } from './group.ts';
import * as parameter from './parameters.ts';
import { nothing, UserProfile } from './user.ts';

/* What the server's key alone may see and end: people with their sessions, and groups with their members. */

/** How many entries of a list a page has at most, and by default. */
const maxListed = 200;
const defaultListed = 50;

const cursorForm = /^\d{1,16}\.[A-Za-z0-9_-]{0,400}$/;

/** A page of a list, which stays the same list while others are added: by the last entry of the page before. */
const page = {
  from: z
    .string()
    .regex(cursorForm)
    .meta({ shown: { type: 'string', pattern: cursorForm.source } })
    .describe('上一页返回的next')
    .optional(),
  limit: parameter.limit(maxListed, defaultListed),
};

const next = z.string().nullable().describe('下一页的from;没有更多时为null');

export const ListedUser = UserProfile.omit({ is_friend: true, remark: true })
  .extend({
    account_state: z.enum(['normal', 'disabled', 'deleted']),
    phone: z.string().nullable(),
    timestamp: z.int().describe('注册时间戳'),
  })
  .meta({ id: 'ListedUser' });
export type ListedUser = z.infer<typeof ListedUser>;

export const userList = contract({
  path: '/user/list',
  methods: ['GET'],
  access: 'server',
  ours: true,
  summary: '列出或查找用户',
  example: {
    parameters: { nickname: '杰', limit: 1 },
    data: {
      users: [{ ...example.profile, phone: phones.jerry, timestamp: 1559031383 }],
      next: '2.5p2w55Ge',
    },
  },
  parameters: z.object({
    username: parameter
      .text(1, 32)
      .describe('登录名的开头,不区分大小写;username、nickname、phone、nid最多传递其中一个')
      .optional(),
    nickname: parameter.text(1, 64).describe('昵称的开头,不区分大小写').optional(),
    phone: z
      .union([z.string(), z.int().transform(String)])
      .pipe(z.string().regex(/^\d{1,11}$/))
      .meta({ shown: { type: 'string', pattern: '^\\d{1,11}$' }, description: '手机号码的开头' })
      .optional(),
    nid: parameter.integer(1).describe('数字ID').optional(),
    ...page,
  }),
  data: z.object({ users: z.array(ListedUser), next }),
});

export const userSessions = contract({
  path: '/user/sessions',
  methods: ['GET'],
  access: 'server',
  ours: true,
  summary: '列出用户的登录会话(不含token),最近使用的在前',
  refuses: ['noUser'],
  example: {
    parameters: { uid: uids.jerry },
    data: [
      {
        session: '9f86d081884c7d65',
        timestamp: 1559031383,
        last_used: 1559034983,
        address: '203.0.113.0/24',
        device: 'Mozilla/5.0 (Windows NT 10.0)',
      },
    ],
  },
  parameters: z.object({ uid: parameter.uid.describe('用户uid') }),
  data: z.array(
    z.object({
      session: z.string().describe('会话id,与日志事件的session相同'),
      timestamp: z.int().describe('登录时间戳'),
      last_used: z.int().describe('最后使用时间戳,误差不超过一小时'),
      address: z.string().nullable().describe('登录地址,保留多少由audit_address决定'),
      device: z.string().nullable().describe('登录时的User-Agent'),
    }),
  ),
});

export const userEndSession = contract({
  path: '/user/endsession',
  methods: ['POST'],
  access: 'server',
  ours: true,
  summary: '结束用户的一个或全部登录会话,其websocket随之关闭',
  refuses: ['noUser', 'noRecord'],
  example: { parameters: { uid: uids.jerry }, data: [] },
  parameters: z.object({
    uid: parameter.uid.describe('用户uid'),
    session: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .meta({ shown: { type: 'string', pattern: '^[0-9a-f]{16}$' } })
      .describe('会话id;省略时结束全部')
      .optional(),
  }),
  data: nothing,
});

export const userDelete = contract({
  path: '/user/delete',
  methods: ['POST'],
  access: 'server',
  ours: true,
  summary: '注销用户账号:释放登录名和手机号,退出所有群组,解除所有好友,不能恢复',
  refuses: ['noUser'],
  example: { parameters: { uid: uids.sun }, data: [] },
  parameters: z.object({ uid: parameter.uid.describe('用户uid') }),
  data: nothing,
});

export const ListedGroup = GroupInfo.omit({ remark: true })
  .extend({
    nickname: z.string().describe('群主昵称'),
    member_count: z.int(),
    forbidden: z.boolean().describe('是否全体禁言'),
  })
  .meta({ id: 'ListedGroup' });
export type ListedGroup = z.infer<typeof ListedGroup>;

export const groupList = contract({
  path: '/group/list',
  methods: ['GET'],
  access: 'server',
  ours: true,
  summary: '列出或查找群组',
  example: {
    parameters: { groupname: '奶酪' },
    data: { groups: [example.listedGroup], next: null },
  },
  parameters: z.object({
    gid: parameter.gid.describe('群组gid;gid、groupname、uid最多传递其中一个').optional(),
    groupname: parameter.text(1, 64).describe('群组名称的开头,不区分大小写').optional(),
    uid: parameter.uid.describe('群主uid').optional(),
    ...page,
  }),
  data: z.object({ groups: z.array(ListedGroup), next }),
});

export const ListedMember = z
  .object({
    uid: z.int(),
    avatar: z.string(),
    nickname: z.string(),
    index: z.int().describe('入群序号,翻页从最后一个加1开始'),
    role: z.enum(['owner', 'manager', 'member']),
    time: z.int().describe('解除禁言的时间戳;0没有被禁言'),
  })
  .meta({ id: 'ListedMember' });
export type ListedMember = z.infer<typeof ListedMember>;

export const groupMemberList = contract({
  path: '/group/memberlist',
  methods: ['GET'],
  access: 'server',
  ours: true,
  summary: '列出群成员及其角色,按入群顺序',
  refuses: ['noGroup'],
  example: { parameters: { gid: gids.cheese }, data: example.listedMembers },
  parameters: z.object({
    gid: parameter.gid,
    index: parameter.integer().describe('从哪个index开始').default(0),
    limit: parameter.limit(maxListed, defaultListed),
  }),
  data: z.array(ListedMember),
});
