import { z } from 'zod';
import { contract } from './contract.ts';
import { gids, uids } from './example-ids.ts';
import * as example from './examples.ts';
import { caller, groupUpdate } from './group.ts';
import { groupForbiddenAll } from './group-members.ts';
import { loginLogin } from './login.ts';
import * as parameter from './parameters.ts';
import { Mine } from './pop.ts';
import { uploadImage } from './upload.ts';
import { UserProfile, userGet } from './user.ts';

/* Other names of calls, for clients of the original product. Each is served by the handler of `aliasOf`. */

export const loginCheck = contract({
  path: '/login/check',
  aliasOf: loginLogin.path,
  methods: ['POST'],
  access: 'open',
  summary: loginLogin.summary,
  example: { ...loginLogin.example, data: { ...example.loggedIn, sso: '' } },
  parameters: loginLogin.parameters.omit({ phone: true }).required({ username: true }),
  /** Clients run `sso` as a script of a single sign-on. We have none, so it is always empty. */
  data: loginLogin.data.extend({ sso: z.literal('') }),
});

/** The picture itself instead of a data URL; its id is in a cookie, which the client sends with the answer. */
const captchaPicture = {
  aliasOf: '/login/captcha',
  methods: ['GET'],
  access: 'open',
  example: { parameters: {} },
  parameters: z.object({}),
  picture: 'image/png',
  data: z.instanceof(Uint8Array),
} as const;

export const loginLoginCaptcha = contract({
  path: '/login/logincaptcha',
  summary: '登录的图形验证码图片',
  ...captchaPicture,
});

export const loginJoinCaptcha = contract({
  path: '/login/joincaptcha',
  summary: '注册的图形验证码图片',
  ...captchaPicture,
});

export const userDetail = contract({
  path: '/user/detail',
  aliasOf: userGet.path,
  methods: ['GET'],
  access: 'user',
  summary: userGet.summary,
  refuses: userGet.refuses,
  example: {
    parameters: { uid: uids.jerry },
    data: { ...example.profile, is_friend: true, remark: '备注名' },
  },
  parameters: z.object({ uid: parameter.uid.describe('用户uid'), ...caller }),
  data: UserProfile,
});

export const userGetByName = contract({
  path: '/user/getbyname',
  aliasOf: userGet.path,
  methods: ['GET'],
  access: 'known',
  summary: userGet.summary,
  refuses: userGet.refuses,
  example: { parameters: { username: 'jerry' }, data: example.profile },
  parameters: z.object({ username: parameter.username, ...caller }),
  data: UserProfile,
});

export const userGetUserInfo = contract({
  path: '/user/getuserinfo',
  aliasOf: '/pop/get',
  methods: ['GET'],
  access: 'user',
  summary: '获取当前登录用户信息(主页信息的mine)',
  refuses: ['noUser'],
  example: { parameters: {}, data: example.home.mine },
  parameters: z.object(caller),
  data: Mine,
});

const ofMutedGroup = groupForbiddenAll.parameters.omit({ value: true });

export const groupForbiddenGroup = contract({
  path: '/group/forbiddengroup',
  aliasOf: groupForbiddenAll.path,
  methods: ['POST'],
  access: 'user',
  summary: '开启全体禁言(value为1)',
  refuses: groupForbiddenAll.refuses,
  example: { parameters: { gid: gids.cheese }, data: [] },
  parameters: ofMutedGroup,
  data: groupForbiddenAll.data,
});

export const groupChattingGroup = contract({
  path: '/group/chattinggroup',
  aliasOf: groupForbiddenAll.path,
  methods: ['POST'],
  access: 'user',
  summary: '解除全体禁言(value为0)',
  refuses: groupForbiddenAll.refuses,
  example: { parameters: { gid: gids.cheese }, data: [] },
  parameters: ofMutedGroup,
  data: groupForbiddenAll.data,
});

export const uploadGroupAvatar = contract({
  path: '/upload/groupavatar',
  aliasOf: uploadImage.path,
  methods: ['POST'],
  access: 'known',
  upload: 'image',
  summary: '上传群组头像',
  refuses: uploadImage.refuses,
  example: uploadImage.example,
  parameters: uploadImage.parameters.extend({ gid: parameter.gid.optional() }),
  data: uploadImage.data,
});

export const groupGuaUpdate = contract({
  path: '/group/guaUpdate',
  aliasOf: groupUpdate.path,
  methods: ['POST'],
  access: 'user',
  summary: '更新群组头像',
  refuses: groupUpdate.refuses,
  example: { parameters: { gid: gids.cheese, avatar: example.groupPicture }, data: [] },
  parameters: groupUpdate.parameters.omit({ groupname: true }).required({ avatar: true }),
  data: groupUpdate.data,
});
