import type { Settings } from './settings.ts';

/** What a setting means, in the languages of the pages. */
export interface SettingMeaning {
  readonly chinese: string;
  readonly english: string;
}

/** What each setting means: for the page of the API, and for the console. */
export const settingMeanings: Readonly<Record<keyof Settings, SettingMeaning>> = {
  voice: {
    chinese: '语音发送:on开,off关',
    english: 'for clients: recorded voice messages',
  },
  audio: {
    chinese: '实时语音:on开,off关',
    english: 'for clients: voice calls',
  },
  video: {
    chinese: '实时视频:on开,off关',
    english: 'for clients: video calls',
  },
  prompt_tone: {
    chinese: '提示音:on开,off关',
    english: 'for clients: a sound for a new message',
  },
  group_chat: {
    chinese: '群聊:on开,off关',
    english: 'messages in groups',
  },
  private_chat: {
    chinese: '私聊:on开,off关',
    english: 'messages between two people',
  },
  add_friend: {
    chinese: '加好友:on开,off关',
    english: 'friend applications',
  },
  create_group: {
    chinese: '创建群组:on开,off关',
    english: 'creating groups',
  },
  upload_file: {
    chinese: '上传文件:on开,off关',
    english: 'uploading files',
  },
  upload_img: {
    chinese: '上传图片:on开,off关',
    english: 'uploading images',
  },
  emoji: {
    chinese: '表情:on开,off关',
    english: 'for clients: emoticons',
  },
  member_detail: {
    chinese: '查看群成员资料:on开,off关',
    english: 'for clients: members of a group may look at each other’s profiles',
  },
  stranger_chat: {
    chinese: '陌生人聊天:on开,off关',
    english: 'messages to people who are no friends',
  },
  ws_address: {
    chinese: 'websocket地址,为空时使用请求的Host;返回时总带端口',
    english: 'the address of the websocket; empty: the host of the request. It is shown with its port',
  },
  app_name: {
    chinese: '应用名称',
    english: 'the name of the application',
  },
  register: {
    chinese: '注册:on开,off关',
    english: 'joining',
  },
  register_sms: {
    chinese: '注册时需要手机号和短信验证码:on开,off关',
    english: 'joining needs a phone and a code sent to it',
  },
  register_captcha: {
    chinese: '注册图形验证码:on开,off关',
    english: 'joining needs a captcha',
  },
  login_captcha: {
    chinese: '登录图形验证码:on开,off关',
    english: 'logging in needs a captcha',
  },
  explore_url: {
    chinese: '发现页地址',
    english: 'for clients: the page behind 发现',
  },
  qrcode_friend: {
    chinese: '好友二维码:on开,off关',
    english: 'for clients: a person’s QR code',
  },
  qrcode_group: {
    chinese: '群二维码:on开,off关',
    english: 'joining a group by its QR code',
  },
  qrcode_scan: {
    chinese: '扫码:on开,off关',
    english: 'for clients: scanning QR codes',
  },
  dirty_words: {
    chinese: '脏字,逗号或换行分隔',
    english: 'words that are starred out in messages, with commas or line breaks between',
  },
  revoke_seconds: {
    chinese: '多少秒内可以撤回消息',
    english: 'for how many seconds a sender may revoke a message',
  },
  token_days: {
    chinese: 'token最后一次使用后的有效天数',
    english: 'for how many days a token lives after its last use',
  },
  upload_img_mb: {
    chinese: '上传图片的最大MB',
    english: 'the largest image, in MB',
  },
  upload_file_mb: {
    chinese: '上传文件的最大MB',
    english: 'the largest file, in MB',
  },
  upload_quota_mb: {
    chinese: '每个用户上传的文件总共最大MB',
    english: 'how many MB all uploads of a person may take',
  },
  upload_reserve_mb: {
    chinese: '磁盘剩余空间少于多少MB时不能上传',
    english: 'below this many MB of free disk uploads are refused',
  },
  limit_token: {
    chinese: '每个token每秒的最多请求数',
    english: 'requests per second for one token',
  },
  limit_address: {
    chinese: '没有token时每个地址每秒的最多请求数',
    english: 'requests per second for one address without a token',
  },
  limit_commands: {
    chinese: '每人每小时最多的修改次数,包括发送消息,内容每满1KB多计一次',
    english: 'changes per hour of one person, sent messages among them; each full KB counts as one more',
  },
  limit_password: {
    chinese: '每个用户名在同一地址每分钟的最多密码错误次数',
    english: 'wrong passwords per minute for one username from one address',
  },
  limit_sms_seconds: {
    chinese: '同一手机号、同一用途两条短信之间的最少秒数',
    english: 'seconds between two SMS for one phone and purpose',
  },
  limit_sms_phone: {
    chinese: '每个手机号在同一地址每天的最多短信数',
    english: 'SMS per day for one phone, asked for from one address',
  },
  limit_sms_address: {
    chinese: '每个地址每小时的最多短信数',
    english: 'SMS per hour that one address asks for',
  },
  limit_group_creations: {
    chinese: '每人每小时最多创建的群组数',
    english: 'groups that one person creates per hour',
  },
  limit_member_additions: {
    chinese: '每人每小时最多邀请的群成员数',
    english: 'members that one person adds to groups per hour',
  },
  limit_groups: {
    chinese: '每人最多加入的群组数',
    english: 'groups that one person is in',
  },
  group_consent: {
    chinese: '邀请非好友加入群组须经对方同意:on开,off关',
    english: 'people are asked before somebody who is no friend adds them to a group',
  },
  join_by_gid: {
    chinese: '只凭gid加入群组;关闭后须有群二维码的token或由群成员邀请:on开,off关',
    english: 'a gid is enough to join a group; off: only an invitation, or the token of a QR code',
  },
  origins: {
    chinese: '可以使用cookie的其他来源,逗号分隔',
    english: 'other origins whose pages may use the login cookie, with commas between',
  },
  escape_html: {
    chinese: '返回值和推送中用户输入的文字按HTML转义(供用innerHTML显示的页面使用,保存的内容不变):on开,off关',
    english: 'what people wrote is escaped for HTML in answers and pushes; what is stored stays',
  },
  ws_ticket: {
    chinese: 'pop/get的ws_address带上只能接收推送的票据(供没有cookie的客户端使用):on开,off关',
    english: 'ws_address of pop/get carries a ticket, for clients without cookies',
  },
  audit_address: {
    chinese: '日志事件中记录的客户端地址:off不记录,short只记录网段(IPv4为/24,IPv6为/48),full完整地址',
    english:
      'how much of a client’s address events keep: off nothing, short the network (/24, /48), full all of it',
  },
};
