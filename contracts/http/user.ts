import { z } from 'zod';
import { contract } from './contract.ts';
import * as parameter from './parameters.ts';

/** What `data` is where the document shows none. */
export const nothing = z.tuple([]);

/** A person as `user/get` shows them; the last two only where `login_uid` was given. */
export const UserProfile = z.object({
  uid: z.int(),
  username: z.string(),
  nickname: z.string(),
  nid: z.int(),
  is_member: z.union([z.literal(0), z.literal(1)]),
  sign: z.string(),
  avatar: z.string(),
  state: z.enum(['online', 'offline']),
  logout_timestamp: z.int(),
  account_state: z.enum(['normal', 'disabled']),
  is_friend: z.boolean().optional(),
  remark: z.string().optional(),
});
export type UserProfile = z.infer<typeof UserProfile>;

const newUser = {
  username: parameter.username,
  nickname: parameter.nickname,
  avatar: parameter.mayBeEmpty().default(''),
  password: parameter.password,
  sign: parameter.mayBeEmpty().default(''),
};

const NewUid = z.object({ uid: z.int() });

export const userAdd = contract({
  path: '/user/add',
  methods: ['GET', 'POST'],
  access: 'server',
  summary: '添加用户',
  parameters: z.object(newUser),
  data: NewUid,
});

export const userOpen = contract({
  path: '/user/open_user',
  methods: ['POST'],
  access: 'user',
  summary: '添加下级用户(会员专有)',
  parameters: z.object({ login_uid: parameter.loginUid, ...newUser }),
  data: NewUid,
});

export const userGet = contract({
  path: '/user/get',
  methods: ['GET'],
  access: 'user',
  summary: '获取单个用户信息',
  parameters: z.object({
    uid: parameter.uid.optional(),
    username: parameter.username.optional(),
    nid: parameter.integer(1).optional(),
    password: parameter.text(1, 128).optional(),
    login_uid: parameter.loginUid,
  }),
  data: UserProfile,
});

export const userMultiGet = contract({
  path: '/user/multiGet',
  methods: ['GET', 'POST'],
  access: 'user',
  summary: '获取多个用户信息',
  parameters: z.object({ uid: parameter.uids }),
  data: z.array(
    UserProfile.pick({
      uid: true,
      username: true,
      nickname: true,
      sign: true,
      avatar: true,
      state: true,
      logout_timestamp: true,
    }),
  ),
});

export const userUpdate = contract({
  path: '/user/update',
  methods: ['POST'],
  access: 'user',
  summary: '更新用户信息',
  parameters: z.object({
    login_uid: parameter.loginUid,
    nickname: parameter.nickname.optional(),
    avatar: parameter.mayBeEmpty().optional(),
    sign: parameter.mayBeEmpty().optional(),
    account_state: parameter.oneOf('normal', 'disabled').optional(),
    is_member: parameter.flag.optional(),
  }),
  data: nothing,
});

export const userUpdatePassword = contract({
  path: '/user/updatepassword',
  methods: ['POST'],
  access: 'user',
  summary: '更新用户密码',
  parameters: z.object({
    login_uid: parameter.loginUid,
    password1: parameter.password,
    password2: parameter.password,
    password_old: parameter.text(1, 128).optional(),
    code: parameter.smsCode.optional(),
  }),
  data: nothing,
});
