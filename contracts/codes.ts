/**
 * Every code of an answer, with the Chinese text that an end user sees unless the thrower gives a more exact one.
 * The numbers are the API's.
 */
export const codes = {
  notLoggedIn: { code: -1, msg: '请先登录' },
  missing: { code: 1, msg: '缺少参数' },
  illegal: { code: 2, msg: '参数不合法' },
  noRecord: { code: 3, msg: '记录不存在' },
  muted: { code: 4, msg: '你已被禁言,暂时不能发言' },
  chatOff: { code: 83, msg: '该聊天功能已关闭' },
  notFriends: { code: 84, msg: '对方还不是你的好友,不能发送消息' },
  disabled: { code: 85, msg: '账号已被禁用' },
  noUser: { code: 101, msg: '用户不存在' },
  groupMuted: { code: 200, msg: '全体禁言中,暂时不能发言' },
  addFriendOff: { code: 202, msg: '加好友功能已关闭' },
  uploadFileOff: { code: 203, msg: '上传文件功能已关闭' },
  uploadImageOff: { code: 204, msg: '上传图片功能已关闭' },
  registerOff: { code: 205, msg: '注册功能已关闭' },
  joinByCodeOff: { code: 206, msg: '扫码加群功能已关闭' },
  quotaUsed: { code: 207, msg: '上传空间已用完' },
  alreadyAnswered: { code: 210, msg: '该好友申请已处理' },
  smsNotSent: { code: 211, msg: '短信发送失败,请稍后再试' },
  /** Done too often within a time; the msg says when to try again. */
  tooOften: { code: 429, msg: '操作过于频繁,请稍后再试' },
  /** The maximum number of something is reached. */
  limitReached: { code: 429, msg: '数量已达上限' },
  noMessage: { code: 404, msg: '消息不存在' },
  tooLate: { code: 505, msg: '消息已超过可撤回时间' },
  noGroup: { code: 701, msg: '群组不存在或已解散' },
  createGroupOff: { code: 702, msg: '创建群组功能已关闭' },
  unreadable: { code: 2, msg: '请求内容无法解析', status: 400 },
  noRoute: { code: 404, msg: '接口不存在', status: 404 },
  wrongMethod: { code: 405, msg: '不支持的请求方法', status: 405 },
  tooSlow: { code: 408, msg: '请求超时,请稍后再试', status: 408 },
  tooLarge: { code: 413, msg: '请求内容过大', status: 413 },
  wrongType: { code: 415, msg: '不支持的内容类型', status: 415 },
  tooMany: { code: 429, msg: '请求过于频繁,请稍后再试', status: 429 },
  unexpected: { code: 500, msg: '服务器内部错误', status: 500 },
  noSpace: { code: 507, msg: '服务器存储空间不足,请稍后再试', status: 507 },
  notReady: { code: 503, msg: '服务暂不可用,请稍后再试', status: 503 },
} as const satisfies Record<string, { code: number; msg: string; status?: number }>;

/** The name of a code within the program. */
export type CodeName = keyof typeof codes;

/** The names of all codes. */
export const codeNames = Object.keys(codes).filter((name): name is CodeName => name in codes);

/** The HTTP status of a code: 200 for what a handler refuses, its own for what reaches no handler. */
export function statusOf(reason: CodeName): number {
  const entry = codes[reason];
  return 'status' in entry ? entry.status : 200;
}

/**
 * The one error that refuses something to a caller. The API turns it into the envelope.
 * `message` is for the end user, in Chinese, and never holds a secret.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: CodeName;

  /** @param options its cause is for operators, who find it in the program's log, and never for the caller */
  constructor(reason: CodeName, message: string = codes[reason].msg, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }

  /** Of a call that lacks a parameter. @param hint what else its end user is to know */
  static missing(parameter: string, hint = ''): Refusal {
    return new Refusal('missing', `缺少参数${parameter}${hint}`);
  }

  /** Of a parameter whose value cannot be. @param hint what else its end user is to know */
  static illegal(parameter: string, hint = ''): Refusal {
    return new Refusal('illegal', `参数${parameter}不合法${hint}`);
  }
}
