import { z } from 'zod';
import { defaultSettings, Settings, withDefaults } from '../settings.ts';
import { contract } from './contract.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

const onOff = (what: string) => `${what}:on开,off关`;

/** What each setting means. */
const meanings: Readonly<Record<string, string>> = {
  voice: onOff('语音发送'),
  audio: onOff('实时语音'),
  video: onOff('实时视频'),
  prompt_tone: onOff('提示音'),
  group_chat: onOff('群聊'),
  private_chat: onOff('私聊'),
  add_friend: onOff('加好友'),
  create_group: onOff('创建群组'),
  upload_file: onOff('上传文件'),
  upload_img: onOff('上传图片'),
  emoji: onOff('表情'),
  member_detail: onOff('查看群成员资料'),
  stranger_chat: onOff('陌生人聊天'),
  ws_address: 'websocket地址,为空时使用请求的Host;返回时总带端口',
  app_name: '应用名称',
  register: onOff('注册'),
  register_sms: onOff('注册时需要手机号和短信验证码'),
  register_captcha: onOff('注册图形验证码'),
  login_captcha: onOff('登录图形验证码'),
  explore_url: '发现页地址',
  qrcode_friend: onOff('好友二维码'),
  qrcode_group: onOff('群二维码'),
  qrcode_scan: onOff('扫码'),
  dirty_words: '脏字,逗号或换行分隔',
  revoke_seconds: '多少秒内可以撤回消息',
  token_days: 'token最后一次使用后的有效天数',
  upload_img_mb: '上传图片的最大MB',
  upload_file_mb: '上传文件的最大MB',
  upload_quota_mb: '每个用户上传的文件总共最大MB',
  upload_reserve_mb: '磁盘剩余空间少于多少MB时不能上传',
  limit_token: '每个token每秒的最多请求数',
  limit_address: '没有token时每个地址每秒的最多请求数',
  limit_password: '每个用户名在同一地址每分钟的最多密码错误次数',
  limit_sms_seconds: '同一手机号、同一用途两条短信之间的最少秒数',
  limit_sms_phone: '每个手机号在同一地址每天的最多短信数',
  limit_sms_address: '每个地址每小时的最多短信数',
  limit_group_creations: '每人每小时最多创建的群组数',
  limit_member_additions: '每人每小时最多邀请的群成员数',
  limit_groups: '每人最多加入的群组数',
  group_consent: onOff('邀请非好友加入群组须经对方同意'),
  join_by_gid: onOff('只凭gid加入群组;关闭后须有群二维码的token或由群成员邀请'),
  origins: '可以使用cookie的其他来源,逗号分隔',
  escape_html: onOff('返回值和推送中用户输入的文字按HTML转义(供用innerHTML显示的页面使用,保存的内容不变)'),
  ws_ticket: onOff('pop/get的ws_address带上只能接收推送的票据(供没有cookie的客户端使用)'),
  audit_address: '日志事件中记录的客户端地址:off不记录,short只记录网段(IPv4为/24,IPv6为/48),full完整地址',
} satisfies Record<keyof Settings, string>;

/** Of one setting as JSON: a change is one event, whose size the log limits. */
const maxChangeBytes = 900_000;

/** A setting as a parameter: numbers may be digits, texts must be storable. */
function carried(schema: z.ZodType): z.ZodType {
  const { $schema: _, ...shown } = z.toJSONSchema(schema);
  if (schema instanceof z.ZodNumber) return parameter.integer().pipe(schema).meta({ shown });
  if (schema instanceof z.ZodString) {
    return parameter.storable
      .refine(
        (value) => Buffer.byteLength(JSON.stringify(value)) <= maxChangeBytes,
        'is too long for one event',
      )
      .pipe(schema)
      .meta({ shown });
  }
  return schema;
}

export const settingUpdate = contract({
  path: '/setting/update',
  methods: ['POST'],
  access: 'server',
  // A text of 900 KB takes three characters per byte in a form.
  maxBytes: 3 * 1024 * 1024,
  summary: '修改系统配置',
  example: { parameters: { upload_img: 'off', revoke_seconds: 300 }, data: [] },
  parameters: z.object(
    Object.fromEntries(
      Object.entries(Settings.shape).map(([name, schema]) => [
        name,
        carried(schema.unwrap())
          .describe(meanings[name] ?? name)
          .optional(),
      ]),
    ),
  ),
  data: nothing,
});

export const settingGet = contract({
  path: '/setting/get',
  methods: ['GET'],
  access: 'server',
  summary: '获取全部系统配置及其默认值',
  example: { parameters: {}, data: withDefaults({ ...defaultSettings, upload_img: 'off' }) },
  parameters: z.object({}),
  data: z.object(
    Object.fromEntries(
      Object.entries(Settings.shape).map(([name, schema]) => {
        const setting = schema.unwrap();
        return [name, z.object({ value: setting, default: setting }).describe(meanings[name] ?? name)];
      }),
    ),
  ),
});
