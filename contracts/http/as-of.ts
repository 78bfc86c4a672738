import { z } from 'zod';
import { contract } from './contract.ts';
import { uids } from './example-ids.ts';
import { moment } from './explain.ts';
import * as parameter from './parameters.ts';

export const auditAsOf = contract({
  path: '/audit/as-of',
  unprefixed: true,
  strict: true,
  methods: ['GET'],
  access: 'server',
  summary: '某一时刻的状态,或接口在该时刻的回答',
  refuses: ['noRecord', 'tooMany', 'tooSlow'],
  example: {
    parameters: {
      at: '2026-11-27T10:00:00+08:00',
      query: `message/unreadcount?login_uid=${uids.tom}&id=${uids.jerry}&type=friend`,
    },
    data: { at: 1795744800000, answer: { code: 0, msg: 'ok', data: 3 } },
  },
  parameters: z.object({
    at: moment,
    query: parameter
      .text(1, 2_000)
      .describe(
        'group GID、user UID、friends UID、settings之一,或查询接口的名称和参数(如pop/get?login_uid=1);在线状态一律为offline',
      ),
    from_log: parameter.flag
      .describe('1:只用日志回答,不用现有的读模型和索引;需要读取全部事件,日志大时请使用命令行')
      .default(false),
  }),
  data: z.object({
    at: z.int().describe('毫秒时间戳'),
    answer: z.unknown().describe('状态,或接口当时返回的内容(code、msg、data)'),
  }),
});
