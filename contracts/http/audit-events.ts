import { z } from 'zod';
import { faultOfConversation, faultOfStream } from '../event-filter.ts';
import { categoryNames, definitionOf, eventDefinitions } from '../events/index.ts';
import { ConversationId } from '../ids.ts';
import { logPositionForm } from '../log-position.ts';
import { contract } from './contract.ts';
import { gids, uids } from './example-ids.ts';
import { moment } from './explain.ts';
import * as parameter from './parameters.ts';

/** How many events one page has at most, and by default. */
const maxEvents = 200;
const defaultEvents = 50;

/** Names with commas between. @param faultOf says of a name what is wrong with it; undefined if nothing is */
function names(faultOf: (name: string) => string | undefined) {
  return parameter
    .text(1, 1_000)
    .transform((value) => value.split(',').map((name) => name.trim()))
    .check(({ value, issues }) => {
      const fault = value.map(faultOf).find((found) => found !== undefined);
      if (fault === undefined && value.length <= 50) return;
      issues.push({ code: 'custom', input: value, message: fault ?? 'must be up to 50 names' });
    })
    .meta({ shown: { type: 'string', minLength: 1, maxLength: 1_000 } });
}

/** The id of a conversation. */
const conversation = z
  .string()
  .check(({ value, issues }) => {
    const message = faultOfConversation(value);
    if (message !== undefined) issues.push({ code: 'custom', input: value, message });
  })
  .pipe(ConversationId)
  .meta({ shown: { type: 'string', pattern: '^(f\\d+-\\d+|g\\d+)$' } });

const id = parameter.text(1, 200);
const position = z
  .string()
  .regex(logPositionForm, 'must be a position of the log, as events have it')
  .meta({ shown: { type: 'string', pattern: logPositionForm.source } });
const number = parameter.integer();

/** Which events are asked for, whenever they happened: the same for past and live ones. */
export const eventFilters = z.object({
  stream: names(faultOfStream).describe('只要这些流,逗号分隔;以*结尾表示前缀').optional(),
  category: names((name) =>
    categoryNames.includes(name)
      ? undefined
      : `there is no category "${name}": there are ${categoryNames.join(', ')}`,
  )
    .describe('只要这些类别的流:user、group、conversation等')
    .optional(),
  type: names((name) =>
    definitionOf(name) !== undefined
      ? undefined
      : `there is no event type "${name}": there are ${eventDefinitions.map(({ type }) => type).join(', ')}`,
  )
    .describe('只要这些类型的事件')
    .optional(),
  by: z
    .union(
      [z.literal('server'), z.literal('nobody'), parameter.uid.transform(String)],
      'must be a uid, a whole number from 1 on, or server or nobody',
    )
    .describe('操作者:uid(包括服务端密钥代表该用户的操作)、server(服务端密钥或运维命令)或nobody(未登录者)')
    .meta({ shown: { type: 'string' } })
    .optional(),
  about: parameter.uid.describe('与该用户有关').optional(),
  conversation: conversation.describe('与该会话有关:f3-9或g123456789').optional(),
  mid: parameter.mid.describe('与该消息有关').optional(),
  correlation: id.describe('由该请求产生').optional(),
  caused_by: id.describe('由该请求或事件直接引起').optional(),
});

/** One event, as the log and its index have it. */
export const AuditEvent = z
  .object({
    number: z.int().describe('在日志中的序号,从0开始'),
    position: z.string(),
    recorded: z.int().describe('写入日志的时间,毫秒时间戳'),
    stream: z.string(),
    revision: z.int(),
    id: z.string(),
    type: z.string(),
    words: z.string().nullable().describe('发生了什么(英文);本程序无法读取的事件为null'),
    actor: z.string().nullable().describe('操作者的uid,或server、nobody'),
    acted_for: z.int().nullable().describe('服务端密钥所代表的用户uid'),
    correlation: z.string().nullable().describe('请求的id'),
    causation: z.string().nullable().describe('直接原因:请求或事件的id'),
    people: z.array(z.int()).readonly(),
    conversation: z.string().nullable(),
    mid: z.int().nullable(),
    data: z.record(z.string(), z.unknown()).readonly(),
    metadata: z.record(z.string(), z.unknown()).readonly(),
  })
  .meta({ id: 'AuditEvent' });

export const auditEvents = contract({
  path: '/audit/events',
  unprefixed: true,
  strict: true,
  methods: ['GET'],
  access: 'server',
  summary: '查询日志中的事件,按序号翻页',
  refuses: ['noRecord', 'tooMany', 'tooSlow'],
  example: {
    parameters: { about: uids.wang, type: 'MemberMuted', limit: 1 },
    data: {
      events: [
        {
          number: 2041,
          position: '0000000000002042',
          recorded: 1764210192000,
          stream: `group-${gids.project}`,
          revision: 17,
          id: '019ac2d1-6a01-7000-8000-0c4f3f3a1d2e',
          type: 'MemberMuted',
          words: `muted person ${uids.wang} in group ${gids.project} until 2025-11-28T02:23:12.000Z`,
          actor: `${uids.tom}`,
          acted_for: null,
          correlation: 'req-7f',
          causation: 'req-7f',
          people: [uids.tom, uids.wang],
          conversation: `g${gids.project}`,
          mid: null,
          data: { gid: gids.project, by: uids.tom, uid: uids.wang, until: 1764296592, noticeMid: 27 },
          metadata: {
            time: 1764210192000,
            actor: `${uids.tom}`,
            version: 2,
            $correlationId: 'req-7f',
            $causationId: 'req-7f',
          },
        },
      ],
      next: 2310,
      nothing: null,
      indexed: 48211,
    },
  },
  parameters: z.object({
    ...eventFilters.shape,
    since: moment.optional(),
    until: moment.optional(),
    after: position.describe('只要该日志位置之后的').optional(),
    up_to: position.describe('只要该日志位置及之前的').optional(),
    from: number.describe('从该序号开始,即上一页返回的next').optional(),
    reverse: parameter.flag.describe('1:从最后的事件开始').default(false),
    limit: parameter.limit(maxEvents, defaultEvents),
  }),
  data: z.object({
    events: z.array(AuditEvent).readonly(),
    next: z.int().nullable().describe('下一页的from;没有更多时为null'),
    nothing: z
      .string()
      .nullable()
      .describe('没有事件时的原因(英文),例如哪个条件没有任何事件符合;有事件时为null'),
    indexed: z.int().describe('索引中的事件数;日志末尾的事件可能稍后才出现'),
  }),
});
