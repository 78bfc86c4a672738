import { z } from 'zod';
import { contract } from './contract.ts';
import { gids, uids } from './example-ids.ts';
import * as example from './examples.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

/** The caller of calls about groups. */
export const caller = { login_uid: parameter.loginUid };
/** The caller, and the group. */
export const ofGroup = { ...caller, gid: parameter.gid };

export const GroupInfo = z
  .object({
    gid: z.int(),
    uid: z.int(),
    avatar: z.string(),
    state: z.enum(['normal', 'dissolved']),
    timestamp: z.int(),
    groupname: z.string(),
    /** The caller's own name for the group, else the group's name. */
    remark: z.string(),
  })
  .meta({ id: 'Group' });

export const GroupDetail = z
  .object({
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
  })
  .meta({ id: 'GroupDetail' });
export type GroupDetail = z.infer<typeof GroupDetail>;

export const groupCreate = contract({
  path: '/group/create',
  methods: ['POST'],
  access: 'user',
  summary: '创建群组',
  refuses: ['noUser', 'disabled', 'createGroupOff', 'tooOften', 'limitReached'],
  example: {
    parameters: { members: [uids.jerry, uids.lin], groupname: '看电影' },
    data: { gid: '318052746', groupname: '看电影', avatar: example.groupPicture },
  },
  parameters: z.object({
    ...caller,
    members: parameter.anyUids.describe('成员uid数组').optional(),
    groupname: parameter.groupname.optional(),
    avatar: parameter.mayBeEmpty().describe('群组头像url地址').optional(),
    uniqueId: parameter.text(1, 64).describe('客户端生成的唯一id,重复请求得到同一个群组').optional(),
    gid: parameter.newGid.optional(),
  }),
  data: z.object({ gid: z.string(), groupname: z.string(), avatar: z.string() }),
});

export const groupDelete = contract({
  path: '/group/delete',
  methods: ['POST'],
  // Each member is released.
  large: true,
  access: 'user',
  summary: '删除群组',
  refuses: ['noGroup'],
  example: { parameters: { gid: gids.cheese }, data: [] },
  parameters: z.object(ofGroup),
  data: nothing,
});

export const groupDetail = contract({
  path: '/group/detail',
  methods: ['GET'],
  access: 'user',
  summary: '群组详情',
  refuses: ['noGroup', 'tooOften'],
  example: { parameters: { gid: gids.cheese, simple: 0, at: 1 }, data: example.groupDetail },
  parameters: z.object({
    ...ofGroup,
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
  example: { parameters: { gid: gids.cheese, remark: '我们三个' }, data: [] },
  parameters: z.object({ ...ofGroup, remark: parameter.mayBeEmpty().describe('群组备注,只有自己可见') }),
  data: nothing,
});

export const groupMemberUpdate = contract({
  path: '/group/memberupdate',
  methods: ['POST'],
  access: 'user',
  summary: '更新用户对应群组信息',
  refuses: ['noGroup'],
  example: { parameters: { gid: gids.cheese, state: 'hidden' }, data: [] },
  parameters: z.object({
    ...ofGroup,
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
  example: { parameters: { gid: gids.cheese, uid: uids.jerry }, data: [] },
  parameters: z.object({ ...ofGroup, uid: parameter.uid.describe('群成员uid') }),
  data: nothing,
});

export const groupUpdate = contract({
  path: '/group/update',
  methods: ['POST'],
  access: 'user',
  summary: '更新群组信息',
  refuses: ['noGroup'],
  example: { parameters: { gid: gids.cheese, groupname: '奶酪研究所' }, data: [] },
  parameters: z.object({
    ...ofGroup,
    groupname: parameter.groupname.optional(),
    avatar: parameter.mayBeEmpty().describe('群组头像url地址').optional(),
  }),
  data: nothing,
});
