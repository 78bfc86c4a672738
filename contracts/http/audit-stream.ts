import { z } from 'zod';
import { AuditEvent } from './audit-events.ts';
import { contract } from './contract.ts';
import * as parameter from './parameters.ts';

export const auditStream = contract({
  path: '/audit/stream',
  unprefixed: true,
  methods: ['GET'],
  access: 'server',
  summary: '一个流在某一版本的状态,和该版本的事件',
  refuses: ['noRecord', 'tooMany', 'tooSlow'],
  example: {
    parameters: { stream: 'setting', revision: 0 },
    data: {
      stream: 'setting',
      revision: 0,
      last: 3,
      folded: true,
      state: { voice: 'off' },
      event: {
        position: '0000000000000007',
        recorded: 1764210192000,
        stream: 'setting',
        revision: 0,
        id: '019ac2d1-6a01-7000-8000-0c4f3f3a1d2e',
        type: 'SettingsChanged',
        words: 'set voice to "off"',
        actor: 'server',
        acted_for: null,
        correlation: 'req-7f',
        causation: 'req-7f',
        people: [],
        conversation: null,
        mid: null,
        data: { changes: { voice: 'off' } },
        metadata: { time: 1764210192000, actor: 'server', version: 2 },
      },
    },
  },
  parameters: z.object({
    stream: z
      .string()
      .max(200)
      .regex(/^[a-z]+(-[a-z0-9]+){0,2}$/)
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
