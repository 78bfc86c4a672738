/*
 * What answers look like, after the examples of the original API (test/conformance/document.ts). Whether each fits the contract that
 * shows it is tested.
 */

const tomAvatar = '//pop.com/upload/avatars/9/30608bd8e4d09d265cea5d13d5b0a1f2.jpg';
const noAvatar = '/static/img/avatar.jpg';

export const profile = {
  uid: 10,
  username: 'jerry',
  nickname: '小老鼠',
  nid: 7269454,
  is_member: 1,
  sign: '',
  avatar: noAvatar,
  state: 'offline',
  logout_timestamp: 0,
  account_state: 'normal',
};

const shownPerson = ({
  uid = 10,
  username = 'jerry',
  nickname = '小老鼠',
  sign = '',
  avatar = noAvatar,
}) => ({
  ...{ uid, username, nickname, sign, avatar },
  state: 'offline',
  logout_timestamp: 0,
});

export const people = [
  shownPerson({ uid: 9, username: 'tom', nickname: '猫猫', sign: '大懒猫', avatar: tomAvatar }),
  shownPerson({}),
];

const contact = (uid: number, name: string, initials: string, avatar: string) => ({
  ...{ uid, avatar, state: 'offline', name, initials, is_member: 1 },
});

export const contacts = {
  M: { '9': contact(9, '猫猫', 'M', tomAvatar), '11': contact(11, '喵星人', 'M', noAvatar) },
  X: { '10': contact(10, '小老鼠', 'X', noAvatar) },
};

export const application = {
  nid: 102,
  from: 9,
  to: 10,
  type: 'add_friend',
  data: '{"postscript":"这里是加好友的附言"}',
  operation: 'not_operated',
  timestamp: 1559290158,
  nickname: '猫猫',
  avatar: tomAvatar,
};

export const groupMembers = {
  '9': { uid: 9, avatar: tomAvatar, nickname: '猫猫', name: '猫猫', index: 1 },
  '13': { uid: 13, avatar: noAvatar, nickname: '新萌', name: '新萌-备注', index: 4 },
};

export const groupDetail = {
  info: {
    gid: 502139874,
    uid: 9,
    avatar: '/h5/group/avatar?uid=9,10,11',
    state: 'normal',
    timestamp: 1559034094,
    groupname: '群聊(猫猫,小老鼠)',
    remark: '群聊(猫猫,小老鼠)',
  },
  members: {
    '9': { uid: 9, avatar: tomAvatar, nickname: '猫猫', remark: '' },
    '10': { uid: 10, avatar: noAvatar, nickname: '小老鼠', remark: '备注名' },
  },
  at: [{ mid: 884, from: '11', name: '喵喵', content: '@[猫猫](9) 在吗', timestamp: 1559036480 }],
};

const { remark: _, ...groupInfo } = groupDetail.info;

export const listedGroup = { ...groupInfo, nickname: '猫猫', member_count: 3, forbidden: false };

export const listedMembers = [
  { uid: 9, avatar: tomAvatar, nickname: '猫猫', index: 1, role: 'owner', time: 0 },
  { uid: 10, avatar: noAvatar, nickname: '小老鼠', index: 2, role: 'member', time: 1559034154 },
];

export const messages = [
  {
    mid: 842,
    from: '9',
    avatar: tomAvatar,
    timestamp: 1559031383,
    content: '我通过了你的好友请求,我们来聊天吧',
    sub_type: 'message',
    quote_mid: 0,
    quote_content: '',
  },
  {
    mid: 845,
    from: '9',
    avatar: tomAvatar,
    timestamp: 1559032013,
    content: '你好',
    sub_type: 'message',
    quote_mid: 842,
    quote_content: '我通过了你的好友请求,我们来聊天吧',
  },
];

export const missedPushes = {
  events: [
    {
      channel: 'user-10',
      event: 'addFriend',
      data: { uid: 9, name: '猫猫', avatar: tomAvatar, position: '37f888b9651a.0000000000000009.0' },
      position: '37f888b9651a.0000000000000009.0',
    },
  ],
  position: '37f888b9651a.0000000000000012.999999999',
  reset: false,
};

const reply = (id: number, type: number, title: string, content: string) => ({
  ...{ id, type, title, keyword: '', content, is_show: 1, weights: 100, is_default: type === 1 ? 1 : 0 },
});

export const replies = {
  '1': [reply(1, 1, '欢迎语', '您好,请问有什么可以帮您?')],
  '3': [reply(2, 3, '营业时间', '每天9:00到18:00')],
};

export const uploaded = (path: string) => ({
  src: `//p.com/upload/${path}`,
  name: '文件名.png',
  size: '7.15 KB',
});

const settings = {
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
  member_detail: 'on',
  stranger_chat: 'on',
  appkey: 'id28hdzhfus8sjk20104dka',
  ws_address: 'wss://pop.com:443/ws',
  app_name: '泡泡IM',
  register: 'on',
  register_sms: 'on',
  register_captcha: 'off',
  login_captcha: 'off',
  explore_url: 'https://m.baidu.com',
  qrcode_friend: 'on',
  qrcode_group: 'on',
  qrcode_scan: 'on',
  escape_html: 'off',
  dirty_words: '',
};

export const shownSettings = { id: '2', ...settings };

export const home = {
  mine: {
    uid: 9,
    username: 'tom',
    sign: '大懒猫',
    nickname: '猫猫',
    avatar: tomAvatar,
    unread_friend_apply_count: 0,
  },
  friend: { X: { '10': contact(10, '小老鼠', 'X', noAvatar) } },
  group: [{ gid: 502139874, avatar: '/h5/group/avatar?uid=9,10,11', name: '群聊(猫猫,小老鼠)', uid: 9 }],
  chatting: {
    friend10: {
      type: 'friend',
      id: 10,
      avatar: noAvatar,
      name: '小老鼠',
      unread_count: 0,
      top: 0,
      items: [
        {
          mid: 845,
          from: '9',
          to: '10',
          content: '我通过了你的好友请求,我们来聊天吧',
          timestamp: 1559032013,
          sub_type: 'message',
          avatar: tomAvatar,
        },
      ],
    },
    group502139874: {
      type: 'group',
      id: 502139874,
      url: '/pop/group/chat/502139874',
      avatar: '/h5/group/avatar?uid=9,10,11',
      name: '群聊(猫猫,小老鼠)',
      unread_count: 0,
      top: 0,
      key: 'group-502139874',
      items: [],
    },
  },
  setting: { ...settings, id: 2 },
};
