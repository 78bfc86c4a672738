/** The text of the page before its list of calls; docs/api.zh.md has what all calls have in common. */
export const introduction = `
所有接口返回 \`{"code":0,"msg":"ok","data":…}\`;\`code\` 不为 0 时是下列各接口的错误码之一,原因见 \`msg\`,\`data\` 为 \`[]\`。
试用前点击 Authorize 填写登录接口返回的 token,或服务端密钥;示例使用 \`npm run demo\` 生成的数据,以 tom 登录。共同的约定见程序所带的 \`docs/api.zh.md\`,推送见最后的「推送」。
`.trim();
