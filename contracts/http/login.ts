import { z } from 'zod';
import { contract } from './contract.ts';
import { phones } from './example-ids.ts';
import * as example from './examples.ts';
import * as parameter from './parameters.ts';
import { nothing, UserProfile } from './user.ts';

const captcha = {
  captcha_id: parameter.text(1, 64).describe('图形验证码id;开启图形验证码时必须').optional(),
  captcha: parameter.text(1, 16).describe('图形验证码;开启图形验证码时必须').optional(),
};

export const loginJoin = contract({
  path: '/login/join',
  methods: ['POST'],
  access: 'open',
  summary: '注册',
  refuses: ['registerOff'],
  example: {
    parameters: {
      username: 'newcomer',
      nickname: '新来的',
      password: 'secret-1',
      phone: phones.newcomer,
      code: '123456',
    },
    data: [],
    needs: '先调用service/send_sms(type为register),code是收到的验证码',
  },
  parameters: z.object({
    username: parameter.username,
    nickname: parameter.nickname,
    avatar: parameter.mayBeEmpty().describe('头像url地址').default(''),
    password: parameter.password,
    sign: parameter.mayBeEmpty().describe('个性签名').default(''),
    phone: parameter.phone.describe('手机号码;register_sms为on时必须').optional(),
    code: parameter.smsCode.describe('手机验证码;传递phone时必须').optional(),
    ...captcha,
  }),
  data: nothing,
});

export const loginLogin = contract({
  path: '/login/login',
  methods: ['POST'],
  access: 'open',
  summary: '登录',
  example: {
    parameters: { username: 'tom', password: 'secret-1' },
    data: example.loggedIn,
    needs: '密码是npm run demo打印的密码',
  },
  parameters: z.object({
    username: parameter.text(1, 64).describe('登录名,也可以是手机号码;与phone必须传递其中一个').optional(),
    phone: parameter.phone.optional(),
    password: parameter.text(1, 128).describe('密码'),
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
  example: { parameters: {}, data: [] },
  parameters: z.object({ login_uid: parameter.loginUid }),
  data: nothing,
});

export const loginCaptcha = contract({
  path: '/login/captcha',
  methods: ['GET'],
  access: 'open',
  summary: '获取图形验证码',
  example: { parameters: {}, data: { captcha_id: '01a209d8', image: 'data:image/png;base64,iVBORw0KGgo' } },
  parameters: z.object({}),
  data: z.object({ captcha_id: z.string(), image: z.string() }),
});

export const serviceSendSms = contract({
  path: '/service/send_sms',
  methods: ['POST'],
  access: 'open',
  summary: '发送短信(注册/忘记密码)',
  example: { parameters: { phone: phones.newcomer, type: 'register' }, data: [] },
  parameters: z.object({
    phone: parameter.phone,
    type: parameter.oneOf('register', 'forget').describe('register注册,forget忘记密码'),
  }),
  data: nothing,
});

export const userSendSmsPass = contract({
  path: '/user/send_sms_pass',
  methods: ['POST'],
  access: 'user',
  summary: '发送短信(重置密码/绑定手机号)',
  refuses: ['smsNotSent'],
  example: { parameters: { phone: phones.tom, type: 'bind' }, data: [] },
  parameters: z.object({
    login_uid: parameter.loginUid,
    phone: parameter.phone,
    type: parameter.oneOf('retrieve', 'bind').describe('retrieve重置密码(本账号的手机号),bind绑定手机号'),
  }),
  data: nothing,
});

export const serviceForgetPass = contract({
  path: '/service/forget_pass',
  methods: ['POST'],
  access: 'open',
  summary: '忘记密码',
  example: {
    parameters: { phone: phones.jerry, code: '123456', username: 'jerry', newpass: 'secret-2' },
    data: [],
    needs: '先调用service/send_sms(type为forget),code是收到的验证码',
  },
  parameters: z.object({
    phone: parameter.phone,
    code: parameter.smsCode,
    username: parameter.username,
    newpass: parameter.password.describe('新密码'),
  }),
  data: nothing,
});
