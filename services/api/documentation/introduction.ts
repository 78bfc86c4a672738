import { codes } from '../../../contracts/codes.ts';
import { pushTable } from './pushes.ts';

const codeTable = Object.values(codes)
  .map(({ code, msg, ...rest }) => `| ${code} | ${'status' in rest ? rest.status : 200} | ${msg} |`)
  .join('\n');

/** The text of the page before all calls. */
export const introduction = `
## 返回值

所有接口返回 JSON:\`{"code":0,"msg":"ok","data":…}\`。\`code\` 不为 0 代表出错,错误信息在 \`msg\` 中,HTTP 状态仍为 200;
请求没有到达接口时(无法解析、过大、过于频繁等)使用对应的 HTTP 状态。没有数据的接口 \`data\` 为 \`[]\`。

| code | HTTP 状态 | 说明 |
|---|---|---|
${codeTable}

## 请求

GET 参数放在查询字符串中;POST 可以使用 JSON、\`application/x-www-form-urlencoded\` 或 \`multipart/form-data\`。
数组可以写作 \`members[]=1&members[]=2\`、\`members[0]=1\`、\`members=1&members=2\`。整数可以传数字或数字字符串。
前缀 \`/api\`、\`/web\`、\`/h5\` 等价。

## 身份

- 用户 token(登录接口返回):\`Authorization: Bearer …\`,或请求头 \`token: …\`;登录同时设置 cookie \`token\`。
- 服务端密钥:\`X-App-Key\` 和 \`X-App-Secret\`,用 \`login_uid\` 指定代表谁调用。

## 顺序

写操作的返回头 \`X-Position\` 是它在日志中的位置;查询时带上同样的请求头,会等到读模型到达该位置后才返回;日志中已经没有的位置(例如恢复了备份)会立即返回,返回头 \`X-Position\` 为 \`reset\`。

## 文件

上传返回的 \`src\`(\`//host/upload/…\`)可以直接 GET,图片直接显示,其他文件以上传时的名称作为附件下载,支持 Range。
图片每边不超过 16384 像素,所有帧合计不超过 6400 万像素,动图不超过 1000 帧,处理时间不超过 5 秒,超出返回 413;每人同时处理一张。
每人的上传总量有上限(207);服务器磁盘空间不足时不能上传(507)。
没有头像的用户使用 \`/static/img/avatar.jpg\`。

## 消息内容

\`content\` 是不超过 8192 字节的文本,原样保存和返回(文字中的 \`dirty_words\` 会替换为 \`*\`,地址和 uid 不变),由客户端负责转义和显示。约定的格式:
表情 \`[表情X]\`(X 为 0 到 100);图片 \`![](图片url)\`;文件 \`file[文件名\\t大小](文件url)\`;语音 \`voice(语音url)\`;链接 \`[显示字符](url)\`。
群聊中 \`@[名称](uid)\` 提到某人,群主和管理员可以用 \`@all\` 提到所有人。

\`message/get\` 不带 \`mid\` 时会把返回的消息标为已读;隐藏会话(\`pop/delchat\`)清除未读数并保留历史。
\`last_read_time\` 表示已读到不晚于该时间(秒)的最后一条消息。
\`uniqueId\` 使重复发送得到同一个 mid,按发送者和会话区分;16 位以下的纯数字(旧客户端的时间戳或计数)除外,只在推送中原样返回;没有它的 \`message/send\` 和 \`group/create\` 在返回 503 时可能已经生效。
修改密码后,该账号已有的 token 全部失效。

## 推送

websocket 使用 Pusher Channels 协议(7),地址和 key 是 \`pop/getsetting\` 的 \`ws_address\` 和 \`appkey\`,可以直接使用 pusher-js。
频道:\`private-user-{uid}\`、\`private-group-{gid}\`、\`presence-group-{gid}\`、\`private-announcements\`、\`global\`;签名地址 \`/pusher/auth\`(别名 \`/api/push/auth\`,供原产品的客户端使用)。
连接地址带上 \`token=…\` 的客户端不必签名,可以用 \`user-{uid}\` 和 \`group-{gid}\`,事件相同。

${pushTable}

断线期间的推送用 \`message/sync\` 补齐:\`since\` 是最后收到的 \`position\`;\`reset: true\`(第一次不带 \`since\` 也是)表示请重新加载,再从返回的 \`position\` 继续。
`;
