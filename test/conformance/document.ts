/*
 * The API document's calls: under which prefix and method it shows each, which parameters it names,
 * and the answers of its examples, without their comments and slips (a comma too many or too
 * few, `["is_manager": 0]`, a text instead of a number).
 */

import * as aliases from '../../contracts/http/aliases.ts';

export interface DocumentedCall {
  readonly call: `${'GET' | 'POST'} /${'api' | 'web' | 'h5'}/${string}`;
  /** A name with `?` at its end is optional. */
  readonly parameters: readonly string[];
  /** `data` of the example; undefined if the document has none. */
  readonly data?: unknown;
}

const picture = '//pop.com/upload/avatars/9/9/265cea5d13d5b0.jpg';
const caller = ['login_uid'];
const done: unknown[] = [];

const person = {
  uid: 10,
  username: 'jerry',
  nickname: '小老鼠',
  nid: 7269454,
  is_member: 1,
  sign: '',
  avatar: '/static/img/avatar.jpg',
  state: 'offline',
  logout_timestamp: 0,
  account_state: 'normal',
  is_friend: true,
  remark: '备注名',
};

const listed = {
  uid: 9,
  username: 'tom',
  nickname: '猫猫',
  sign: '大懒猫',
  avatar: picture,
  state: 'offline',
  logout_timestamp: 0,
};

const contact = { uid: 9, avatar: picture, state: 'offline', name: '猫猫', initials: 'M' };
const contacts = {
  M: { '9': { ...contact, is_member: 1 }, '11': { ...contact, uid: 11, name: '喵星人' } },
  X: { '10': { ...contact, uid: 10, name: '小老鼠', initials: 'X', is_member: 1 } },
};

const application = {
  nid: 102,
  from: 9,
  to: 10,
  type: 'add_friend',
  data: '{"postscript":"这里是加好友的附言"}',
  operation: 'not_operated',
  timestamp: 1559290158,
  nickname: '猫猫',
  avatar: picture,
};

const reply = {
  id: 1,
  type: 1,
  title: 'jerry',
  keyword: '小老鼠',
  content: '7269454',
  is_show: 1,
  weights: 100,
  is_default: 1,
};

const message = {
  mid: 842,
  from: '9',
  avatar: picture,
  timestamp: 1559031383,
  content: '我通过了你的好友请求,我们来聊天吧',
  sub_type: 'message',
  quote_mid: 845,
  quote_content: 'xxxxxxxxxxx',
};

const last = {
  mid: 845,
  from: '9',
  to: '10',
  content: '我通过了你的好友请求,我们来聊天吧',
  timestamp: 1559032013,
  sub_type: 'message',
  avatar: picture,
};

const switches = {
  voice: 'on',
  audio: 'off',
  video: 'off',
  prompt_tone: 'on',
  group_chat: 'on',
  private_chat: 'on',
  add_friend: 'on',
  create_group: 'on',
  upload_file: 'on',
  upload_img: 'on',
  emoji: 'on',
  stranger_chat: 'on',
  appkey: '063a5f0aca64b1ba87c776b8f8343c1c',
  ws_address: 'ws://pop.com:6060',
};

const home = {
  mine: {
    uid: 9,
    username: 'tom',
    sign: '大懒猫',
    nickname: '猫猫',
    avatar: picture,
    unread_friend_apply_count: 0,
  },
  friend: { M: { '11': contact }, X: { '10': contact } },
  group: [{ gid: 50, avatar: '/h5/group/avatar?uid=9,10,11', name: '群聊(猫猫,小老鼠)' }],
  chatting: {
    friend10: { type: 'friend', id: 10, avatar: picture, name: '小老鼠', unread_count: 0, items: [last] },
    group50: {
      type: 'group',
      id: 50,
      url: '/pop/group/chat/50',
      avatar: '/h5/group/avatar?uid=9,10,11',
      name: '群聊(猫猫,小老鼠)',
      unread_count: 0,
      key: 'group-50',
      items: [{ ...last, name: '喵喵' }],
    },
  },
  setting: { id: 2, ...switches, dirty_words: '' },
};

const uploaded = {
  src: '//p.com/upload/images/202104/30608bd9666e76.png',
  name: '文件名.png',
  size: '7.15 KB',
};
const chat = [...caller, 'id', 'type'];
const account = ['username', 'nickname', 'avatar?', 'password', 'sign?'];
const replying = ['type', 'title', 'content', 'weights?', 'is_default?'];

export const documentedCalls: readonly DocumentedCall[] = [
  { call: 'POST /web/service/send_sms', parameters: ['phone', 'type'] },
  { call: 'POST /h5/user/send_sms_pass', parameters: ['phone', 'type'] },
  { call: 'POST /web/service/forget_pass', parameters: ['phone', 'code', 'username', 'newpass'] },
  { call: 'POST /api/login/join', parameters: ['phone', 'code'] },
  { call: 'GET /api/friend/get_temp_list', parameters: caller, data: contacts },
  { call: 'POST /api/message/delete', parameters: [...chat, 'mid', 'ty'], data: done },
  { call: 'GET /api/reply/get', parameters: [], data: { '1': [reply], '2': [{ ...reply, type: 2 }] } },
  { call: 'POST /api/reply/add', parameters: replying },
  { call: 'POST /api/reply/update', parameters: ['rid', ...replying] },
  { call: 'POST /api/reply/delete', parameters: ['rid'] },
  { call: 'POST /api/user/open_user', parameters: account, data: { uid: 13 } },
  { call: 'GET /api/user/add', parameters: account, data: { uid: 13 } },
  { call: 'GET /api/user/get', parameters: ['uid?', 'username?', 'password?', ...caller], data: person },
  { call: 'GET /api/user/multiGet', parameters: ['uid'], data: [listed] },
  {
    call: 'POST /api/user/update',
    parameters: [...caller, 'nickname', 'avatar', 'sign', 'account_state'],
    data: done,
  },
  {
    call: 'POST /api/user/updatepassword',
    parameters: [...caller, 'password1', 'password2', 'password_old', 'code'],
    data: done,
  },
  { call: 'POST /api/friend/apply', parameters: [...caller, 'friend_uid'], data: done },
  { call: 'POST /api/friend/agree', parameters: [...caller, 'nid'], data: done },
  { call: 'POST /api/friend/refuse', parameters: [...caller, 'nid'], data: done },
  { call: 'POST /api/friend/add', parameters: [...caller, 'friend_uid'], data: done },
  { call: 'POST /api/friend/remark', parameters: [...caller, 'friend_uid', 'remark'], data: done },
  { call: 'GET /api/friend/applylist', parameters: caller, data: [application] },
  { call: 'GET /api/friend/getlist', parameters: caller, data: contacts },
  { call: 'GET /api/friend/applycount', parameters: caller, data: 1 },
  {
    call: 'GET /api/friend/applydetail',
    parameters: [...caller, 'nid'],
    data: { ...application, username: 'cat' },
  },
  { call: 'POST /api/friend/delete', parameters: [...caller, 'friend_uid'], data: done },
  {
    call: 'POST /api/friend/update',
    parameters: ['state', 'last_read_time', 'unread_count', 'top'],
    data: done,
  },
  {
    call: 'POST /api/group/create',
    parameters: [...caller, 'members?'],
    data: { gid: '51', groupname: '群聊(猫猫)', avatar: '/h5/group/avatar?uid=9' },
  },
  { call: 'POST /api/group/delete', parameters: [...caller, 'gid'], data: done },
  { call: 'POST /api/group/memberadd', parameters: [...caller, 'gid', 'members'], data: done },
  { call: 'POST /api/group/join', parameters: [...caller, 'gid'], data: done },
  {
    call: 'GET /api/group/members',
    parameters: [...caller, 'gid', 'limit', 'index'],
    data: { '9': { uid: 9, avatar: picture, nickname: '猫猫', name: '猫猫', index: 140 } },
  },
  { call: 'POST /api/group/memberdel', parameters: [...caller, 'gid', 'members'], data: done },
  {
    call: 'GET /api/group/detail',
    parameters: [...caller, 'gid', 'simple', 'at'],
    data: {
      info: {
        gid: 50,
        uid: 9,
        avatar: picture,
        state: 'normal',
        timestamp: 1559034094,
        remark: '群聊(猫猫,小老鼠)',
      },
      members: { '9': { uid: 9, avatar: picture, nickname: '猫猫', remark: '群组备注' } },
    },
  },
  { call: 'POST /api/group/remark', parameters: [...caller, 'gid', 'remark'], data: done },
  { call: 'POST /api/group/manager', parameters: [...caller, 'uid', 'gid', 'value'], data: done },
  { call: 'POST /api/group/ismanager', parameters: [...caller, 'uid', 'gid'], data: { is_manager: 0 } },
  { call: 'POST /api/group/forbiddenuser', parameters: [...caller, 'gid', 'uid', 'time'], data: done },
  { call: 'POST /api/group/forbiddenall', parameters: [...caller, 'gid', 'value'], data: done },
  { call: 'POST /api/group/leave', parameters: [...caller, 'gid'], data: done },
  {
    call: 'POST /api/group/memberupdate',
    parameters: [...caller, 'gid', 'state?', 'last_read_time?'],
    data: done,
  },
  // Later clients read the mid; the document's [] carries nothing.
  {
    call: 'POST /api/message/send',
    parameters: [...caller, 'to', 'type', 'content', 'quote_mid?'],
    data: { mid: 842 },
  },
  { call: 'GET /api/message/get', parameters: [...chat, 'limit?', 'mid?'], data: [message] },
  { call: 'POST /api/message/revoke', parameters: [...chat, 'mid'], data: done },
  { call: 'GET /api/message/unreadcount', parameters: chat, data: 3 },
  { call: 'POST /api/message/updateLastReadTime', parameters: chat, data: done },
  { call: 'POST /api/upload/avatar', parameters: [...caller, 'file'], data: uploaded },
  { call: 'POST /api/upload/img', parameters: ['file'], data: uploaded },
  { call: 'POST /api/upload/file', parameters: ['file'], data: uploaded },
  { call: 'GET /api/qrcode/get', parameters: ['content'] },
  { call: 'GET /api/pop/get', parameters: caller, data: home },
  { call: 'POST /api/pop/delchat', parameters: chat, data: done },
  {
    call: 'GET /api/pop/getsetting',
    parameters: [],
    data: {
      id: '2',
      ...switches,
      member_detail: 'on',
      app_name: '泡泡IM',
      register: 'on',
      register_captcha: 'off',
      login_captcha: 'off',
      explore_url: 'https://m.baidu.com',
      qrcode_friend: 'on',
      qrcode_group: 'on',
      qrcode_scan: 'on',
    },
  },
];

/** Calls that the document lacks, and why they are served. */
export const beyondTheDocument: Readonly<Record<string, string>> = {
  'POST /login/login': 'a token must come from somewhere',
  'POST /login/logout': 'and end',
  'GET /login/captcha': 'the picture that the settings speak of',
  'GET /message/sync': 'what a websocket missed',
  'POST /group/transfer': 'an owner cannot leave otherwise',
  'POST /group/update': 'a name that the document only shows',
  'POST /user/bindphone': 'who has no phone could not get a forgotten password back',
  'GET /group/qrcode': 'the token that opens a group whose gid is not enough',
  'POST /group/qrcode_revoke': 'a token that went into the wrong hands opens nothing any more',
  'POST /setting/update': 'settings that the document only shows',
  'GET /setting/get': 'all of them, with what they are by default',
  'GET /group/avatar': 'the picture that the document’s answers name',
  'POST /user/add': 'a password is better in a body',
  'POST /user/multiGet': 'the document names no method',
  'GET /user/list': 'the people of the system, for those who administer it',
  'GET /user/sessions': 'where somebody is logged in, for those who administer the system',
  'POST /user/endsession': 'a session in the wrong hands ends',
  'POST /announcement/send': 'a word to everyone from those who run the system',
  'POST /announcement/revoke': 'and its end',
  'GET /announcement/list': 'what was announced before somebody came',
  'POST /announcement/seen': 'and what they have seen of it',
  'POST /user/delete': 'an account that nobody needs any more lets its names go',
  'GET /group/list': 'the groups of the system, for those who administer it',
  'GET /group/memberlist': 'who is in a group that the caller is not in',
  'GET /dev/sms': 'for developing',
  'GET /audit/as-of': 'what was so at a moment, for those who operate the system',
  'GET /audit/events': 'what happened, for those who operate the system',
  'GET /audit/stream': 'a stream at each of its revisions, for those who operate the system',
  'GET /audit/uploads': 'what was uploaded, for those who operate the system',
  'GET /system/status': 'how the system is, for those who operate it',
  'GET /audit/explain': 'why something is so, for those who operate the system',
  ...Object.fromEntries(
    Object.values(aliases).flatMap(({ methods, path, aliasOf }) =>
      methods.map((method) => [`${method} ${path}`, `clients of the original product know ${aliasOf} by it`]),
    ),
  ),
};
