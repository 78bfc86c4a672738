import { z } from 'zod';
import { contract } from './contract.ts';
import { gids, uids } from './example-ids.ts';
import * as example from './examples.ts';
import { caller, ofGroup } from './group.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

export const GroupMember = z
  .object({
    uid: z.int(),
    avatar: z.string(),
    nickname: z.string(),
    /** The caller's remark of them, else the nickname. */
    name: z.string(),
    /** This group's joining number: where a page starts. */
    index: z.int(),
  })
  .meta({ id: 'GroupMember' });
export type GroupMember = z.infer<typeof GroupMember>;

export const groupMemberAdd = contract({
  path: '/group/memberadd',
  methods: ['POST'],
  access: 'user',
  summary: '邀请人加入群',
  refuses: ['noUser', 'noGroup', 'tooOften', 'limitReached'],
  example: { parameters: { gid: gids.cheese, members: [uids.zhao, uids.sun] }, data: [] },
  parameters: z.object({ ...ofGroup, members: parameter.uids.describe('成员uid数组') }),
  data: nothing,
});

export const groupJoin = contract({
  path: '/group/join',
  methods: ['POST'],
  access: 'user',
  summary: '加入群组',
  refuses: ['noUser', 'disabled', 'joinByCodeOff', 'noGroup', 'tooOften', 'limitReached'],
  example: { parameters: { gid: gids.newcomers }, data: [] },
  parameters: z.object({
    ...ofGroup,
    token: parameter
      .text(1, 64)
      .describe('群二维码中的token(见group/qrcode);系统不允许只凭gid加群时必须有')
      .optional(),
  }),
  data: nothing,
});

/** Members of a page: by default, and at most. By initial the default is the maximum, since clients do not page then. */
export const membersShown = 32;
export const maxMembersShown = 500;

export const groupMembers = contract({
  path: '/group/members',
  methods: ['GET'],
  access: 'user',
  summary: '获得群成员',
  refuses: ['noGroup', 'tooOften'],
  example: { parameters: { gid: gids.cheese, limit: 32 }, data: example.groupMembers },
  parameters: z.object({
    ...ofGroup,
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
  example: { parameters: { gid: gids.cheese, members: [uids.chen] }, data: [] },
  parameters: z.object({ ...ofGroup, members: parameter.uids.describe('成员uid数组') }),
  data: nothing,
});

export const groupManager = contract({
  path: '/group/manager',
  methods: ['POST'],
  access: 'user',
  summary: '设置或取消管理员',
  refuses: ['noGroup'],
  example: { parameters: { uid: uids.jerry, gid: gids.cheese, value: 1 }, data: [] },
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
  reads: true,
  access: 'user',
  summary: '判断是否是管理员',
  refuses: ['noGroup', 'tooOften'],
  example: { parameters: { uid: uids.jerry, gid: gids.cheese }, data: { is_manager: 0 } },
  parameters: z.object({ ...caller, uid: parameter.uid.describe('群成员uid'), gid: parameter.gid }),
  data: z.object({ is_manager: z.union([z.literal(0), z.literal(1)]) }),
});

export const groupForbiddenUser = contract({
  path: '/group/forbiddenuser',
  methods: ['POST'],
  access: 'user',
  summary: '禁言群里的某个用户',
  refuses: ['noUser', 'noGroup', 'tooOften'],
  example: { parameters: { gid: gids.cheese, uid: uids.anna, time: 600 }, data: [] },
  parameters: z.object({
    ...ofGroup,
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
  refuses: ['noUser', 'noGroup', 'tooOften'],
  example: { parameters: { gid: gids.cheese, value: 1 }, data: [] },
  parameters: z.object({ ...ofGroup, value: parameter.flag.describe('1设置,0取消') }),
  data: nothing,
});

export const groupLeave = contract({
  path: '/group/leave',
  methods: ['POST'],
  access: 'user',
  summary: '退出一个或多个群组',
  example: { parameters: { gid: [gids.hike] }, data: [] },
  parameters: z.object({ ...caller, gid: parameter.gids }),
  data: nothing,
});

export const groupCode = contract({
  path: '/group/qrcode',
  methods: ['GET'],
  access: 'user',
  summary: '获得群二维码的token,放进二维码内容即可凭它加群',
  refuses: ['noGroup'],
  example: {
    parameters: { gid: gids.cheese },
    data: { gid: gids.cheese, token: 'Y7sXq0b1Jc2mTn4vKp8wLr5e' },
  },
  parameters: z.object(ofGroup),
  data: z.object({ gid: z.int(), token: z.string() }),
});

export const groupCodeRevoke = contract({
  path: '/group/qrcode_revoke',
  methods: ['POST'],
  access: 'user',
  summary: '使群二维码以前的token全部失效(群主和管理员)',
  refuses: ['noGroup'],
  example: { parameters: { gid: gids.cheese }, data: [] },
  parameters: z.object(ofGroup),
  data: nothing,
});
