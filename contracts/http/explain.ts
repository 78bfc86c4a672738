import { z } from 'zod';
import { contract } from './contract.ts';
import { gids, uids } from './example-ids.ts';
import * as parameter from './parameters.ts';

/** The most changes of an answer that one request is shown. */
const maxSteps = 1_000;

/** A moment as a request names it: seconds since 1970, an ISO time with its zone, or a position of the log. */
export const moment = z
  .union(
    [z.int().nonnegative().transform(String), parameter.text(1, 40)],
    'must be seconds since 1970, an ISO time with its zone, or a position of the log',
  )
  .describe(
    '时刻:秒时间戳、带时区的ISO时间(2026-11-27T10:00:00+08:00),或日志位置(事件的position);省略为现在',
  );

const Verdict = z.object({
  value: z.union([z.boolean(), z.int()]).describe('是否成立,或数量'),
  words: z.string(),
  refusal: z
    .object({ reason: z.string(), code: z.int(), msg: z.string() })
    .optional()
    .describe('不成立时,对应的接口会返回的code和msg'),
});

const OtherEvent = z.object({
  type: z.string(),
  stream: z.string(),
  revision: z.int(),
  position: z.string(),
  id: z.string(),
});

const Cause = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('time'), what: z.string() }),
  OtherEvent.extend({
    kind: z.literal('event'),
    by: z.string().describe('谁'),
    request: z.string().describe('请求的id'),
    beside: z.array(OtherEvent).readonly().optional().describe('同一请求的其他事件;没有索引时省略'),
  }),
]);

/** How an answer came about, as `npm run explain -- --format json` shows it too. Times in milliseconds. */
const Explanation = z
  .object({
    at: z.int().describe('回答的时刻,毫秒时间戳'),
    answer: z.string().describe('一句话的回答'),
    verdict: Verdict.optional(),
    omitted: z.int().describe('更早的、没有返回的变化数'),
    steps: z.array(z.object({ time: z.int(), words: z.string(), cause: Cause })).readonly(),
  })
  .meta({ id: 'Explanation' });

export const auditExplain = contract({
  path: '/audit/explain',
  unprefixed: true,
  strict: true,
  methods: ['GET'],
  access: 'server',
  summary: '解释一个结果:重放相关事件,列出每次变化及其原因',
  refuses: ['noRecord', 'tooMany', 'tooSlow'],
  example: {
    parameters: { question: `can-speak ${uids.wang} group ${gids.project}` },
    data: {
      at: 1764212592000,
      answer: `person ${uids.wang} (王伟) may not speak in group ${gids.project}: 你已被禁言,暂时不能发言 (code 4), since 2026-11-27 10:23:12 +08:00, by MemberMuted of person ${uids.tom} (汤小满); this ends by itself on 2026-11-27 11:23:12 +08:00.`,
      verdict: {
        value: false,
        words: `may not speak in group ${gids.project}: 你已被禁言,暂时不能发言 (code 4)`,
        refusal: { reason: 'muted', code: 4, msg: '你已被禁言,暂时不能发言' },
      },
      omitted: 0,
      steps: [
        {
          time: 1764210192000,
          words: `may not speak in group ${gids.project}: 你已被禁言,暂时不能发言 (code 4)`,
          cause: {
            kind: 'event',
            type: 'MemberMuted',
            stream: `group-${gids.project}`,
            revision: 17,
            position: '0000000000002042',
            id: '019ac2d1-6a01-7000-8000-0c4f3f3a1d2e',
            by: `person ${uids.tom} (汤小满)`,
            request: 'req-7f',
            beside: [],
          },
        },
      ],
    },
  },
  parameters: z.object({
    question: parameter
      .text(1, 200)
      .describe(
        'can-speak UID group GID、can-send UID friend UID、friends UID UID、member UID GID、manager UID GID、visible MID to UID、unread UID friend UID、unread UID group GID、account UID、message MID之一',
      ),
    at: moment.optional(),
    steps: parameter.limit(maxSteps, maxSteps),
  }),
  data: Explanation,
});
