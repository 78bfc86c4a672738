import { z } from 'zod';
import { contract } from './contract.ts';
import * as parameter from './parameters.ts';
import { nothing, UserProfile } from './user.ts';

const captcha = {
  captcha_id: parameter.text(1, 64).optional(),
  captcha: parameter.text(1, 16).optional(),
};

export const loginJoin = contract({
  path: '/login/join',
  methods: ['POST'],
  access: 'open',
  summary: '注册',
  parameters: z.object({
    username: parameter.username,
    nickname: parameter.nickname,
    avatar: parameter.mayBeEmpty().default(''),
    password: parameter.password,
    sign: parameter.mayBeEmpty().default(''),
    phone: parameter.phone,
    code: parameter.smsCode,
    ...captcha,
  }),
  data: nothing,
});

export const loginLogin = contract({
  path: '/login/login',
  methods: ['POST'],
  access: 'open',
  summary: '登录',
  parameters: z.object({
    username: parameter.text(1, 64).optional(),
    phone: parameter.phone.optional(),
    password: parameter.text(1, 128),
    ...captcha,
  }),
  data: UserProfile.extend({
    token: z.string(),
    /** Seconds until the token ends, if it is not used. */
    expires: z.int(),
  }),
});

export const loginLogout = contract({
  path: '/login/logout',
  methods: ['POST'],
  access: 'user',
  summary: '退出登录',
  parameters: z.object({ login_uid: parameter.loginUid }),
  data: nothing,
});

export const loginCaptcha = contract({
  path: '/login/captcha',
  methods: ['GET'],
  access: 'open',
  summary: '获取图片验证码',
  parameters: z.object({}),
  data: z.object({ captcha_id: z.string(), image: z.string() }),
});

export const serviceSendSms = contract({
  path: '/service/send_sms',
  methods: ['POST'],
  access: 'open',
  summary: '发送短信(注册/忘记密码)',
  parameters: z.object({ phone: parameter.phone, type: parameter.oneOf('register', 'forget') }),
  data: nothing,
});

export const userSendSmsPass = contract({
  path: '/user/send_sms_pass',
  methods: ['POST'],
  access: 'user',
  summary: '发送短信(重置密码)',
  parameters: z.object({
    login_uid: parameter.loginUid,
    phone: parameter.phone,
    type: parameter.oneOf('retrieve'),
  }),
  data: nothing,
});

export const serviceForgetPass = contract({
  path: '/service/forget_pass',
  methods: ['POST'],
  access: 'open',
  summary: '忘记密码',
  parameters: z.object({
    phone: parameter.phone,
    code: parameter.smsCode,
    username: parameter.username,
    newpass: parameter.password,
  }),
  data: nothing,
});
