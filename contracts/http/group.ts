import { z } from 'zod';
import { contract } from './contract.ts';
import * as example from './examples.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

const caller = { login_uid: parameter.loginUid };
const group = { ...caller, gid: parameter.gid };

export const GroupMember = z.object({
  uid: z.int(),
  avatar: z.string(),
  nickname: z.string(),
  /** The caller's remark of them, else the nickname. */
  name: z.string(),
  /** This group's joining number: where a page starts. */
  index: z.int(),
});
export type GroupMember = z.infer<typeof GroupMember>;

const GroupInfo = z.object({
  gid: z.int(),
  uid: z.int(),
  avatar: z.string(),
  state: z.enum(['normal', 'dissolved']),
  timestamp: z.int(),
  groupname: z.string(),
  /** The caller's own name for the group, else the group's name. */
  remark: z.string(),
});

export const GroupDetail = z.object({
  info: GroupInfo,
  /** The fields of `info` once more, if the request names `simple`: clients of the original product read them here. */
  ...GroupInfo.partial().shape,
  members: z
    .record(
      z.string(),
      z.object({ uid: z.int(), avatar: z.string(), nickname: z.string(), remark: z.string() }),
    )
    .optional(),
  at: z
    .array(
      z.object({
        mid: z.int(),
        from: z.string(),
        name: z.string(),
        content: z.string(),
        timestamp: z.int(),
      }),
    )
    .optional(),
});
export type GroupDetail = z.infer<typeof GroupDetail>;

export const groupCreate = contract({
  path: '/group/create',
  methods: ['POST'],
  access: 'user',
  summary: '创建群组',
  refuses: ['noUser', 'disabled', 'createGroupOff', 'tooOften', 'limitReached'],
  example: {
    parameters: { members: [10, 11] },
    data: { gid: '502139874', groupname: '群聊(猫猫,小老鼠)', avatar: '/h5/group/avatar?uid=9,10' },
  },
  parameters: z.object({
    ...caller,
    members: parameter.anyUids.describe('成员uid数组').optional(),
    groupname: parameter.groupname.optional(),
    avatar: parameter.mayBeEmpty().describe('群组头像url地址').optional(),
    uniqueId: parameter.text(1, 64).describe('客户端生成的唯一id,重复请求得到同一个群组').optional(),
  }),
  data: z.object({ gid: z.string(), groupname: z.string(), avatar: z.string() }),
});

export const groupDelete = contract({
  path: '/group/delete',
  methods: ['POST'],
  access: 'user',
  summary: '删除群组',
  refuses: ['noGroup'],
  example: { parameters: { gid: 502139874 }, data: [] },
  parameters: z.object(group),
  data: nothing,
});

export const groupMemberAdd = contract({
  path: '/group/memberadd',
  methods: ['POST'],
  access: 'user',
  summary: '邀请人加入群',
  refuses: ['noUser', 'noGroup', 'tooOften', 'limitReached'],
  example: { parameters: { gid: 502139874, members: [12, 13] }, data: [] },
  parameters: z.object({ ...group, members: parameter.uids.describe('成员uid数组') }),
  data: nothing,
});

export const groupJoin = contract({
  path: '/group/join',
  methods: ['POST'],
  access: 'user',
  summary: '加入群组',
  refuses: ['disabled', 'joinByCodeOff', 'noGroup', 'tooOften', 'limitReached'],
  example: { parameters: { gid: 502139874 }, data: [] },
  parameters: z.object({
    ...group,
    token: parameter
      .text(1, 64)
      .describe('群二维码中的token(见group/qrcode);系统不允许只凭gid加群时必须有')
      .optional(),
  }),
  data: nothing,
});

/** How many members a page has by default, and at most: also the default by initial, where clients do not page. */
export const membersShown = 32;
export const maxMembersShown = 500;

export const groupMembers = contract({
  path: '/group/members',
  methods: ['GET'],
  access: 'user',
  summary: '获得群成员',
  refuses: ['noGroup', 'tooOften'],
  example: { parameters: { gid: 502139874, limit: 32 }, data: example.groupMembers },
  parameters: z.object({
    ...group,
    limit: parameter
      .limitOf(maxMembersShown)
      .describe(
        `最多多少条,默认${membersShown},按首字母分组时默认${maxMembersShown};超过${maxMembersShown}按${maxMembersShown}`,
      )
      .optional(),
    index: parameter.integer().describe('从哪个index开始查找').default(0),
    pinyin: parameter.mayBeEmpty().describe('不为空时按name首字母分组返回').default(''),
    exclude: parameter.listedUids.describe('不返回的成员uid,逗号分隔').optional(),
  }),
  data: z.union([
    z.record(z.string(), GroupMember),
    z.record(z.string(), z.record(z.string(), GroupMember.extend({ initials: z.string() }))),
  ]),
});

export const groupMemberDelete = contract({
  path: '/group/memberdel',
  methods: ['POST'],
  access: 'user',
  summary: '删除群成员',
  refuses: ['noGroup'],
  example: { parameters: { gid: 502139874, members: [13] }, data: [] },
  parameters: z.object({ ...group, members: parameter.uids.describe('成员uid数组') }),
  data: nothing,
});

export const groupDetail = contract({
  path: '/group/detail',
  methods: ['GET'],
  access: 'user',
  summary: '群组详情',
  refuses: ['noGroup', 'tooOften'],
  example: { parameters: { gid: 502139874, simple: 0, at: 1 }, data: example.groupDetail },
  parameters: z.object({
    ...group,
    simple: parameter.flag.describe('0返回members,1不返回;传递时info的字段同时出现在data中').optional(),
    at: parameter.flag.describe('0不返回@信息,1返回').default(false),
  }),
  data: GroupDetail,
});

export const groupRemark = contract({
  path: '/group/remark',
  methods: ['POST'],
  access: 'user',
  summary: '设置群组备注',
  refuses: ['noGroup'],
  example: { parameters: { gid: 502139874, remark: '我们三个' }, data: [] },
  parameters: z.object({ ...group, remark: parameter.mayBeEmpty().describe('群组备注,只有自己可见') }),
  data: nothing,
});

export const groupManager = contract({
  path: '/group/manager',
  methods: ['POST'],
  access: 'user',
  summary: '设置或取消管理员',
  refuses: ['noGroup'],
  example: { parameters: { uid: 10, gid: 502139874, value: 1 }, data: [] },
  parameters: z.object({
    ...caller,
    uid: parameter.uid.describe('群成员uid'),
    gid: parameter.gid,
    value: parameter.flag.describe('1设置,0取消'),
  }),
  data: nothing,
});

export const groupIsManager = contract({
  path: '/group/ismanager',
  methods: ['POST'],
  access: 'user',
  summary: '判断是否是管理员',
  refuses: ['noGroup', 'tooOften'],
  example: { parameters: { uid: 10, gid: 502139874 }, data: { is_manager: 0 } },
  parameters: z.object({ ...caller, uid: parameter.uid.describe('群成员uid'), gid: parameter.gid }),
  data: z.object({ is_manager: z.union([z.literal(0), z.literal(1)]) }),
});

export const groupForbiddenUser = contract({
  path: '/group/forbiddenuser',
  methods: ['POST'],
  access: 'user',
  summary: '禁言群里的某个用户',
  refuses: ['noUser', 'noGroup'],
  example: { parameters: { gid: 502139874, uid: 10, time: 1559034154 }, data: [] },
  parameters: z.object({
    ...group,
    uid: parameter.uid.describe('群成员uid'),
    time: parameter
      .integer(-Number.MAX_SAFE_INTEGER)
      .describe('解除禁言的时间戳;0和负数立刻解除;小于10亿的正数按秒数计'),
  }),
  data: nothing,
});

export const groupForbiddenAll = contract({
  path: '/group/forbiddenall',
  methods: ['POST'],
  access: 'user',
  summary: '全体禁言',
  refuses: ['noGroup'],
  example: { parameters: { gid: 502139874, value: 1 }, data: [] },
  parameters: z.object({ ...group, value: parameter.flag.describe('1设置,0取消') }),
  data: nothing,
});

export const groupLeave = contract({
  path: '/group/leave',
  methods: ['POST'],
  access: 'user',
  summary: '退出一个或多个群组',
  example: { parameters: { gid: [502139874] }, data: [] },
  parameters: z.object({ ...caller, gid: parameter.gids }),
  data: nothing,
});

export const groupCode = contract({
  path: '/group/qrcode',
  methods: ['GET'],
  access: 'user',
  summary: '获得群二维码的token,放进二维码内容即可凭它加群',
  refuses: ['noGroup'],
  example: { parameters: { gid: 502139874 }, data: { gid: 502139874, token: 'Y7sXq0b1Jc2mTn4vKp8wLr5e' } },
  parameters: z.object(group),
  data: z.object({ gid: z.int(), token: z.string() }),
});

export const groupCodeRevoke = contract({
  path: '/group/qrcode_revoke',
  methods: ['POST'],
  access: 'user',
  summary: '使群二维码以前的token全部失效(群主和管理员)',
  refuses: ['noGroup'],
  example: { parameters: { gid: 502139874 }, data: [] },
  parameters: z.object(group),
  data: nothing,
});

export const groupMemberUpdate = contract({
  path: '/group/memberupdate',
  methods: ['POST'],
  access: 'user',
  summary: '更新用户对应群组信息',
  refuses: ['noGroup'],
  example: { parameters: { gid: 502139874, state: 'hidden' }, data: [] },
  parameters: z.object({
    ...group,
    state: parameter.oneOf('chatting', 'hidden').describe('chatting显示在消息列表,hidden不显示').optional(),
    last_read_time: parameter.integer().describe('上次读消息时间戳').optional(),
    top: parameter.flag.describe('是否置顶:0不置顶,1置顶').optional(),
  }),
  data: nothing,
});

export const groupTransfer = contract({
  path: '/group/transfer',
  methods: ['POST'],
  access: 'user',
  summary: '转让群组',
  refuses: ['noGroup'],
  example: { parameters: { gid: 502139874, uid: 10 }, data: [] },
  parameters: z.object({ ...group, uid: parameter.uid.describe('群成员uid') }),
  data: nothing,
});

export const groupUpdate = contract({
  path: '/group/update',
  methods: ['POST'],
  access: 'user',
  summary: '更新群组信息',
  refuses: ['noGroup'],
  example: { parameters: { gid: 502139874, groupname: '猫和老鼠' }, data: [] },
  parameters: z.object({
    ...group,
    groupname: parameter.groupname.optional(),
    avatar: parameter.mayBeEmpty().describe('群组头像url地址').optional(),
  }),
  data: nothing,
});
