/** The groups of calls, by what their paths begin with, in the order of the page. */
const tags: Readonly<Record<string, readonly [name: string, description: string]>> = {
  login: ['登录', '注册、登录、退出和图形验证码'],
  service: ['短信', '未登录时的短信验证码和忘记密码'],
  user: ['用户接口', '用户的信息、密码、手机号和登录会话'],
  friend: ['好友接口', '好友、好友申请和通讯录'],
  group: ['群组接口', '群组、群成员、禁言和群二维码'],
  message: ['消息接口', '发送、读取、撤回、删除和补齐消息'],
  pop: ['聚合接口', '主页信息和客户端需要的配置'],
  reply: ['回复消息接口', '客服的欢迎语、快捷回复和常见问题'],
  upload: ['上传', '头像、图片和文件'],
  qrcode: ['二维码', '二维码图片'],
  setting: ['系统配置', '全部配置及其修改,只供服务端密钥'],
  announcement: ['公告', '发给所有人的公告'],
  audit: ['审计', '查询和解释过去,只供服务端密钥'],
  system: ['系统状况', '各部分的进度、大小和计数'],
  dev: ['开发', '开发环境的短信'],
  probe: ['运维', '进程和各部分是否正常'],
  pusher: ['Pusher', '订阅签名,以及供其他后端使用的Pusher HTTP API'],
  push: ['推送', 'websocket推送的事件'],
};

/** The tag of a call by its path. */
export function tagOf(path: string): string {
  const [, resource = ''] = path.split('/');
  return tagNamed(resource);
}

/** The tag of this resource. */
export function tagNamed(resource: string): string {
  return tags[resource]?.[0] ?? resource;
}

/** All tags, for the document. */
export const describedTags = Object.values(tags).map(([name, description]) => ({ name, description }));
