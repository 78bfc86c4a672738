import { z } from 'zod';
import { contract } from './contract.ts';
import { phones, uids } from './example-ids.ts';
import * as example from './examples.ts';
import * as parameter from './parameters.ts';

/** The `data` of an answer that holds no data. */
export const nothing = z.tuple([]).meta({ id: 'Nothing' });

/** A person as `user/get` shows them; the last two only if `login_uid` was given. */
export const UserProfile = z
  .object({
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
  })
  .meta({ id: 'User' });
export type UserProfile = z.infer<typeof UserProfile>;

const newUser = {
  username: parameter.username,
  nickname: parameter.nickname,
  avatar: parameter.mayBeEmpty().describe('头像url地址').default(''),
  password: parameter.password,
  sign: parameter.mayBeEmpty().describe('个性签名').default(''),
};

const NewUid = z.object({ uid: z.int() });

export const userAdd = contract({
  path: '/user/add',
  methods: ['GET', 'POST'],
  changes: true,
  access: 'server',
  summary: '添加用户',
  example: {
    parameters: { username: 'spike', nickname: '史派克', avatar: '', password: 'secret-1', sign: '看家' },
    data: { uid: 9 },
  },
  parameters: z.object(newUser),
  data: NewUid,
});

export const userOpen = contract({
  path: '/user/open_user',
  methods: ['POST'],
  access: 'user',
  summary: '添加下级用户(会员专有)',
  refuses: ['noUser', 'disabled'],
  example: { parameters: { username: 'tomkid', nickname: '小满', password: 'secret-1' }, data: { uid: 10 } },
  parameters: z.object({ login_uid: parameter.loginUid, ...newUser }),
  data: NewUid,
});

export const userGet = contract({
  path: '/user/get',
  methods: ['GET'],
  access: 'known',
  summary: '获取单个用户信息',
  refuses: ['noUser'],
  example: {
    parameters: { uid: uids.jerry, login_uid: uids.tom },
    data: { ...example.profile, is_friend: true, remark: '备注名' },
  },
  parameters: z.object({
    uid: parameter.uid.describe('用户uid;uid、username、nid必须传递其中一个').optional(),
    username: parameter.username.optional(),
    nid: parameter.integer(1).describe('数字ID').optional(),
    password: parameter.text(1, 128).describe('密码;传递时校验密码,username必须传递').optional(),
    login_uid: parameter.loginUid,
  }),
  data: UserProfile,
});

export const userMultiGet = contract({
  path: '/user/multiGet',
  methods: ['GET', 'POST'],
  access: 'known',
  summary: '获取多个用户信息',
  example: { parameters: { uid: [uids.tom, uids.jerry] }, data: example.people },
  parameters: z.object({ uid: parameter.uids.describe('用户uid数组') }),
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
  refuses: ['noUser', 'tooOften'],
  example: { parameters: { nickname: '汤姆', sign: '今天也要好好吃饭' }, data: [] },
  parameters: z.object({
    login_uid: parameter.loginUid,
    nickname: parameter.nickname.optional(),
    avatar: parameter.mayBeEmpty().describe('头像url地址').optional(),
    sign: parameter.mayBeEmpty().describe('个性签名').optional(),
    account_state: parameter
      .oneOf('normal', 'disabled')
      .describe('账户状态:normal正常,disabled禁用;只有服务端密钥可以修改')
      .optional(),
    password: parameter.password
      .describe('新密码;只有服务端密钥可以修改,用户请调用user/updatepassword')
      .optional(),
    phone: parameter.phone.describe('手机号码;只有服务端密钥可以修改,用户请调用user/bindphone').optional(),
    is_member: parameter.flag.describe('是否会员;只有服务端密钥可以修改').optional(),
  }),
  data: nothing,
});

export const userUpdatePassword = contract({
  path: '/user/updatepassword',
  methods: ['POST'],
  access: 'user',
  summary: '更新用户密码',
  refuses: ['noUser'],
  example: {
    parameters: { password1: 'secret-2', password2: 'secret-2', password_old: 'secret-1' },
    data: [],
    needs: 'password_old是npm run demo打印的密码',
  },
  parameters: z.object({
    login_uid: parameter.loginUid,
    password1: parameter.password.describe('新密码'),
    password2: parameter.password.describe('新密码,再次输入'),
    password_old: parameter.text(1, 128).describe('旧密码;与code必须传递其中一个').optional(),
    code: parameter.smsCode.optional(),
  }),
  data: nothing,
});

export const userBindPhone = contract({
  path: '/user/bindphone',
  methods: ['POST'],
  access: 'user',
  summary: '绑定手机号',
  refuses: ['noUser'],
  example: {
    parameters: { phone: phones.tom, code: '123456' },
    data: [],
    needs: '先调用user/send_sms_pass(type为bind),code是收到的验证码',
  },
  parameters: z.object({
    login_uid: parameter.loginUid,
    phone: parameter.phone,
    code: parameter.smsCode.describe('手机验证码,由user/send_sms_pass(type为bind)发送'),
    password: parameter.text(1, 128).describe('当前密码;更换已绑定的手机号时必须').optional(),
  }),
  data: nothing,
});
