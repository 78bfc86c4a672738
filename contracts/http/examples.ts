import { applications, gids, mid, replyId, uids } from './example-ids.ts';

/*
 * What answers look like, after the examples of the original API (test/conformance/document.ts), with the ids of the
 * demonstration. Whether each fits the contract that shows it is tested.
 */

const { tom, jerry, lin, anna, sun } = uids;
const tomAvatar = `//pop.com/upload/avatars/${tom}/30608bd8e4d09d265cea5d13d5b0a1f2.jpg`;
const noAvatar = '/static/img/avatar.jpg';
export const groupPicture = `/h5/group/avatar?uid=${tom},${jerry},${lin}`;

const shownTom = {
  ...{ uid: tom, username: 'tom', nickname: '汤小满', sign: '今天也要好好吃饭', avatar: tomAvatar },
  ...{ state: 'online', logout_timestamp: 0 },
};
const shownJerry = {
  ...{ uid: jerry, username: 'jerry', nickname: '杰瑞', sign: '奶酪研究员', avatar: noAvatar },
  ...{ state: 'offline', logout_timestamp: 0 },
};
export const people = [shownTom, shownJerry];

export const profile = { ...shownJerry, nid: 7269454, is_member: 0, account_state: 'normal' };

export const loggedIn = {
  ...{ ...shownTom, nid: 30815726, is_member: 1, account_state: 'normal' },
  ...{ token: 'x3b0…', expires: 2592000 },
};

const contact = (uid: number, name: string, initials: string) => ({
  ...{ uid, avatar: noAvatar, state: 'offline', name, initials, is_member: 0 },
});

export const contacts = {
  A: { [anna]: contact(anna, 'Anna', 'A') },
  J: { [jerry]: contact(jerry, '杰瑞', 'J') },
};

export const application = {
  nid: applications.fromSun,
  from: sun,
  to: tom,
  type: 'add_friend',
  data: '{"postscript":"我是新来的孙一,赵敏推荐我加您"}',
  operation: 'not_operated',
  timestamp: 1559290158,
  nickname: '孙一',
  avatar: noAvatar,
};

export const groupMembers = {
  [tom]: { uid: tom, avatar: tomAvatar, nickname: '汤小满', name: '汤小满', index: 1 },
  [jerry]: { uid: jerry, avatar: noAvatar, nickname: '杰瑞', name: '备注名', index: 2 },
};

export const groupDetail = {
  info: {
    gid: gids.cheese,
    uid: tom,
    avatar: groupPicture,
    state: 'normal',
    timestamp: 1559034094,
    groupname: '奶酪展',
    remark: '奶酪展',
  },
  members: {
    [tom]: { uid: tom, avatar: tomAvatar, nickname: '汤小满', remark: '' },
    [jerry]: { uid: jerry, avatar: noAvatar, nickname: '杰瑞', remark: '备注名' },
  },
  at: [{ mid: 42, from: `${lin}`, name: '林月', content: `@[汤小满](${tom}) 在吗`, timestamp: 1559036480 }],
};

const { remark: _, ...groupInfo } = groupDetail.info;

export const listedGroup = { ...groupInfo, nickname: '汤小满', member_count: 5, forbidden: false };

export const listedMembers = [
  { uid: tom, avatar: tomAvatar, nickname: '汤小满', index: 1, role: 'owner', time: 0 },
  { uid: jerry, avatar: noAvatar, nickname: '杰瑞', index: 2, role: 'member', time: 1559034154 },
];

export const messages = [
  {
    mid,
    from: `${tom}`,
    avatar: tomAvatar,
    timestamp: 1559031383,
    content: '周末的奶酪展你去吗?',
    sub_type: 'message',
    quote_mid: 0,
    quote_content: '',
  },
  {
    mid: 2,
    from: `${jerry}`,
    avatar: noAvatar,
    timestamp: 1559032013,
    content: '当然去!',
    sub_type: 'message',
    quote_mid: mid,
    quote_content: '周末的奶酪展你去吗?',
  },
];

export const missedPushes = {
  events: [
    {
      channel: `user-${tom}`,
      event: 'addFriend',
      data: { uid: sun, name: '孙一', avatar: noAvatar, position: '37f888b9651a.0000000000000009.0' },
      position: '37f888b9651a.0000000000000009.0',
    },
  ],
  position: '37f888b9651a.0000000000000012.999999999',
  reset: false,
};

export const replies = {
  '3': [
    {
      ...{ id: replyId, type: 3, title: '营业时间', keyword: '', content: '每天9:00到18:00' },
      ...{ is_show: 1, weights: 100, is_default: 0 },
    },
  ],
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
    uid: tom,
    username: 'tom',
    sign: '今天也要好好吃饭',
    nickname: '汤小满',
    avatar: tomAvatar,
    unread_friend_apply_count: 2,
  },
  friend: contacts,
  group: [{ gid: gids.cheese, avatar: groupPicture, name: '奶酪展', uid: tom }],
  chatting: {
    [`friend${jerry}`]: {
      type: 'friend',
      id: jerry,
      avatar: noAvatar,
      name: '杰瑞',
      unread_count: 0,
      top: 0,
      items: [
        {
          mid,
          from: `${tom}`,
          to: `${jerry}`,
          content: '周末的奶酪展你去吗?',
          timestamp: 1559032013,
          sub_type: 'message',
          avatar: tomAvatar,
        },
      ],
    },
    [`group${gids.cheese}`]: {
      type: 'group',
      id: gids.cheese,
      url: `/pop/group/chat/${gids.cheese}`,
      avatar: groupPicture,
      name: '奶酪展',
      unread_count: 0,
      top: 0,
      key: `group-${gids.cheese}`,
      items: [],
    },
  },
  setting: { ...settings, id: 2 },
};
