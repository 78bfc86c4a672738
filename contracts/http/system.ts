import { z } from 'zod';
import { contract } from './contract.ts';

const Follower = z
  .object({
    name: z
      .string()
      .describe('read:查询用的表;audit:日志的索引;read-next:正在重建的表;read-check:核对用的表'),
    position: z.string(),
    behind: z.int().describe('落后多少:Postgres为事件数,EventStoreDB为字节数'),
    version: z.string().nullable(),
  })
  .meta({ id: 'LogFollower' });

const Gateway = z
  .object({
    gateway: z.string(),
    alive: z.boolean(),
    seen: z.int().describe('最后一次心跳,毫秒时间戳'),
    users: z.int().describe('有websocket连接的用户数'),
  })
  .meta({ id: 'Gateway' });

const Counted = z
  .object({
    calls: z.int().describe('回答的请求'),
    refused: z.int().describe('其中code不为0的'),
    callMs: z.number().describe('回答这些请求共用的毫秒数'),
    appends: z.int().describe('写入日志的事件'),
    projected: z.int().describe('写入查询用的表的事件'),
    pushes: z.int().describe('产生的推送'),
    delivered: z.int().describe('发送给websocket的推送批次'),
  })
  .meta({ id: 'SystemCounts' });

export const systemStatus = contract({
  path: '/system/status',
  unprefixed: true,
  methods: ['GET'],
  access: 'server',
  summary: '系统的状况:各部分的进度、网关、大小、连接和计数',
  example: {
    parameters: {},
    data: {
      time: 1795744800000,
      log: { end: '0000000000002042', extent: 2042 },
      followers: [{ name: 'read', position: '0000000000002042', behind: 0, version: '3f1c' }],
      gateways: [
        { gateway: '6f0ff6a8-5e0f-4c53-a4d9-5a1c9a0b5a2e', alive: true, seen: 1795744799000, users: 2 },
      ],
      sockets: 3,
      sizes: [{ schema: 'log', bytes: 1490944 }],
      connections: [{ name: 'bubble-im', count: 5, since: 1795744700000 }],
      client: { address: '203.0.113.7', connection: '127.0.0.1', forwarded_for: '203.0.113.7' },
      process: { pid: 4242, started: 1795744600000, memory: 155189248, cpuMs: 5321 },
      counted: { calls: 12, refused: 1, callMs: 31.5, appends: 7, projected: 7, pushes: 9, delivered: 4 },
    },
  },
  parameters: z.object({}),
  data: z.object({
    time: z.int().describe('毫秒时间戳'),
    log: z.object({ end: z.string(), extent: z.int().describe('日志的大小,单位同behind') }),
    followers: z.array(Follower),
    gateways: z.array(Gateway),
    sockets: z.int().nullable().describe('回答的进程自己的websocket数;没有网关时为null'),
    sizes: z.array(z.object({ schema: z.string(), bytes: z.int() })).describe('数据库中各部分占用的字节数'),
    connections: z
      .array(
        z.object({
          name: z.string().describe('用途;正在进行的备份带有进度'),
          count: z.int(),
          since: z.int().describe('最早的连接,毫秒时间戳'),
        }),
      )
      .describe('数据库的连接,按用途'),
    client: z
      .object({
        address: z.string().describe('请求算作来自哪个地址'),
        connection: z.string().describe('直接连接的地址;经过代理时为代理的地址'),
        forwarded_for: z.string().nullable().describe('收到的X-Forwarded-For'),
      })
      .describe('此请求的来源,用于检查TRUST_PROXY'),
    process: z.object({
      pid: z.int(),
      started: z.int(),
      memory: z.int().describe('占用的内存字节数'),
      cpuMs: z.int().describe('启动以来使用的处理器毫秒数'),
    }),
    counted: Counted.describe('回答的进程从第一次被问起的计数'),
  }),
});
export type SystemCounts = z.infer<typeof Counted>;
