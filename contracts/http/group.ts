import { z } from 'zod';
import { contract } from './contract.ts';
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

export const GroupDetail = z.object({
  info: z.object({
    gid: z.int(),
    uid: z.int(),
    avatar: z.string(),
    state: z.enum(['normal', 'dissolved']),
    timestamp: z.int(),
    remark: z.string(),
  }),
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
  parameters: z.object({
    ...caller,
    members: parameter.anyUids.optional(),
    groupname: parameter.text(1, 64).optional(),
    avatar: parameter.mayBeEmpty().optional(),
    uniqueId: parameter.text(1, 64).optional(),
  }),
  data: z.object({ gid: z.string(), groupname: z.string(), avatar: z.string() }),
});

export const groupDelete = contract({
  path: '/group/delete',
  methods: ['POST'],
  access: 'user',
  summary: '删除群组',
  parameters: z.object(group),
  data: nothing,
});

export const groupMemberAdd = contract({
  path: '/group/memberadd',
  methods: ['POST'],
  access: 'user',
  summary: '邀请人加入群',
  parameters: z.object({ ...group, members: parameter.uids }),
  data: nothing,
});

export const groupJoin = contract({
  path: '/group/join',
  methods: ['POST'],
  access: 'user',
  summary: '加入群组',
  parameters: z.object(group),
  data: nothing,
});

export const groupMembers = contract({
  path: '/group/members',
  methods: ['GET'],
  access: 'user',
  summary: '获得群成员',
  parameters: z.object({
    ...group,
    limit: parameter.limit(500, 32),
    index: parameter.integer().default(0),
  }),
  data: z.record(z.string(), GroupMember),
});

export const groupMemberDelete = contract({
  path: '/group/memberdel',
  methods: ['POST'],
  access: 'user',
  summary: '删除群成员',
  parameters: z.object({ ...group, members: parameter.uids }),
  data: nothing,
});

export const groupDetail = contract({
  path: '/group/detail',
  methods: ['GET'],
  access: 'user',
  summary: '群组详情',
  parameters: z.object({
    ...group,
    simple: parameter.flag.default(false),
    at: parameter.flag.default(false),
  }),
  data: GroupDetail,
});

export const groupRemark = contract({
  path: '/group/remark',
  methods: ['POST'],
  access: 'user',
  summary: '设置群组备注',
  parameters: z.object({ ...group, remark: parameter.mayBeEmpty() }),
  data: nothing,
});

export const groupManager = contract({
  path: '/group/manager',
  methods: ['POST'],
  access: 'user',
  summary: '设置或取消管理员',
  parameters: z.object({ ...caller, uid: parameter.uid, gid: parameter.gid, value: parameter.flag }),
  data: nothing,
});

export const groupIsManager = contract({
  path: '/group/ismanager',
  methods: ['POST'],
  access: 'user',
  summary: '判断是否是管理员',
  parameters: z.object({ ...caller, uid: parameter.uid, gid: parameter.gid }),
  data: z.object({ is_manager: z.union([z.literal(0), z.literal(1)]) }),
});

export const groupForbiddenUser = contract({
  path: '/group/forbiddenuser',
  methods: ['POST'],
  access: 'user',
  summary: '禁言群里的某个用户',
  parameters: z.object({ ...group, uid: parameter.uid, time: parameter.integer() }),
  data: nothing,
});

export const groupForbiddenAll = contract({
  path: '/group/forbiddenall',
  methods: ['POST'],
  access: 'user',
  summary: '全体禁言',
  parameters: z.object({ ...group, value: parameter.flag }),
  data: nothing,
});

export const groupLeave = contract({
  path: '/group/leave',
  methods: ['POST'],
  access: 'user',
  summary: '退出群组',
  parameters: z.object(group),
  data: nothing,
});

export const groupMemberUpdate = contract({
  path: '/group/memberupdate',
  methods: ['POST'],
  access: 'user',
  summary: '更新用户对应群组信息',
  parameters: z.object({
    ...group,
    state: parameter.oneOf('chatting', 'hidden').optional(),
    last_read_time: parameter.integer().optional(),
    top: parameter.flag.optional(),
  }),
  data: nothing,
});

export const groupTransfer = contract({
  path: '/group/transfer',
  methods: ['POST'],
  access: 'user',
  summary: '转让群组',
  parameters: z.object({ ...group, uid: parameter.uid }),
  data: nothing,
});

export const groupUpdate = contract({
  path: '/group/update',
  methods: ['POST'],
  access: 'user',
  summary: '更新群组信息',
  parameters: z.object({
    ...group,
    groupname: parameter.text(1, 64).optional(),
    avatar: parameter.mayBeEmpty().optional(),
  }),
  data: nothing,
});
