import { z } from 'zod';
import type { PlainCall } from './plain-call.ts';

/* What load balancers and operators ask of a process. */

/** The state of a part of a program: whether it is ready, if not then the reason, and figures. */
const PartState = z
  .object({ ready: z.boolean(), reason: z.string().optional() })
  .catchall(z.union([z.boolean(), z.number(), z.string()]))
  .meta({ id: 'PartState' });

export const Readiness = z
  .object({
    ready: z.boolean(),
    degraded: z.array(z.string()).optional().describe('没有就绪、但多数功能不依赖的部分'),
    parts: z.record(z.string(), PartState),
  })
  .meta({ id: 'Readiness' });

export const aliveCall: PlainCall = {
  url: '/health',
  method: 'GET',
  access: 'open',
  summary: '进程是否存活',
  example: {},
  refuses: ['tooMany'],
  answers: { 200: { meaning: '进程可以回答', data: z.object({ alive: z.literal(true) }) } },
};

export const readyCall: PlainCall = {
  url: '/ready',
  method: 'GET',
  access: 'open',
  summary: '能否接收请求,以及各部分的状态',
  example: {},
  refuses: ['tooMany'],
  answers: {
    200: { meaning: '可以接收请求', data: Readiness },
    503: { meaning: '必需的部分中有未就绪的', data: Readiness },
  },
};
