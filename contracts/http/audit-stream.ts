import { z } from 'zod';
import { AuditEvent } from './audit-events.ts';
import { contract } from './contract.ts';
import { gids, uids } from './example-ids.ts';
import * as parameter from './parameters.ts';

export const auditStream = contract({
  path: '/audit/stream',
  unprefixed: true,
  strict: true,
  methods: ['GET'],
  access: 'server',
  summary: '一个流在某一版本的状态,和该版本的事件',
  refuses: ['noRecord', 'tooMany', 'tooSlow'],
  example: {
    parameters: { stream: `group-${gids.cheese}`, revision: 1 },
    data: {
      stream: `group-${gids.cheese}`,
      revision: 1,
      last: 3,
      folded: true,
      state: { gid: gids.cheese, owner: uids.tom, name: '奶酪展' },
      event: {
        position: '0000000000000042',
        recorded: 1764210192000,
        stream: `group-${gids.cheese}`,
        revision: 1,
        id: '019ac2d1-6a01-7000-8000-0c4f3f3a1d2e',
        type: 'ManagerAppointed',
        words: `made person ${uids.lin} a manager of group ${gids.cheese}`,
        actor: 'server',
        acted_for: uids.tom,
        correlation: 'req-7f',
        causation: 'req-7f',
        people: [uids.tom, uids.lin],
        conversation: `g${gids.cheese}`,
        mid: null,
        data: { gid: gids.cheese, uid: uids.lin },
        metadata: { time: 1764210192000, actor: 'server', version: 2, for: uids.tom },
      },
    },
  },
  parameters: z.object({
    stream: z
      .string()
      .max(200)
      .regex(/^[a-z]+(-[a-z0-9]+){0,2}$/, 'must be the name of a stream, as group-123456789')
      .describe('流的名称,如group-502139874'),
    revision: parameter.integer().describe('版本,从0开始;省略为最后一个').optional(),
  }),
  data: z.object({
    stream: z.string(),
    revision: z.int(),
    last: z.int().describe('最后一个版本'),
    folded: z.boolean().describe('该流是否有状态:会话、聊天列表和登录记录没有'),
    state: z.unknown().describe('该版本之后的状态,即决定命令时所用的'),
    event: AuditEvent.omit({ number: true }),
  }),
});
