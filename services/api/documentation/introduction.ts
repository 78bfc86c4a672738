import { codes } from '../../../contracts/codes.ts';

const codeTable = Object.values(codes)
  .map(({ code, msg, ...rest }) => `| ${code} | ${'status' in rest ? rest.status : 200} | ${msg} |`)
  .join('\n');

/** What the page says before all calls. */
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

- 用户 token(登录接口返回):\`Authorization: Bearer …\`;登录同时设置 cookie \`token\`。
- 服务端密钥:\`X-App-Key\` 和 \`X-App-Secret\`,用 \`login_uid\` 指定代表谁调用。

## 顺序

写操作的返回头 \`X-Position\` 是它在日志中的位置;查询时带上同样的请求头,会等到读模型到达该位置后才返回。

## 文件

上传返回的 \`src\`(\`//host/upload/…\`)可以直接 GET,图片直接显示,其他文件作为附件下载,支持 Range。
没有头像的用户使用 \`/static/img/avatar.jpg\`。

## 推送

websocket 使用 Pusher Channels 协议(7),地址和 key 是 \`pop/getsetting\` 的 \`ws_address\` 和 \`appkey\`,可以直接使用 pusher-js。
频道:\`private-user-{uid}\`、\`private-group-{gid}\`、\`presence-group-{gid}\`、\`global\`;签名地址 \`/pusher/auth\`。
断线期间的推送用 \`message/sync\` 补齐。
`;
