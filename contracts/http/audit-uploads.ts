import { z } from 'zod';
import { contract } from './contract.ts';
import { uids } from './example-ids.ts';
import * as parameter from './parameters.ts';

/** How many uploads one page has at most, and by default. */
const maxUploads = 200;
const defaultUploads = 50;

export const auditUploads = contract({
  path: '/audit/uploads',
  unprefixed: true,
  strict: true,
  methods: ['GET'],
  access: 'server',
  summary: '上传的文件,新的在前',
  refuses: ['tooMany', 'tooSlow'],
  example: {
    parameters: { uid: uids.anna, limit: 1 },
    data: {
      uploads: [
        {
          path: 'file/2026-11-27/1b0c0f6a5e9d4c3b8a7f6e5d4c3b2a19.pdf',
          uid: uids.anna,
          name: '合同.pdf',
          bytes: 48211,
          uploaded: 1795744800000,
        },
      ],
      count: 12,
      bytes: 5242880,
    },
  },
  parameters: z.object({
    uid: parameter.uid.describe('只要该用户上传的').optional(),
    start: parameter.integer(0, 1_000_000).describe('跳过多少个').default(0),
    limit: parameter.limit(maxUploads, defaultUploads),
  }),
  data: z.object({
    uploads: z.array(
      z.object({
        path: z.string(),
        uid: z.int().nullable().describe('服务端密钥上传的为null'),
        name: z.string(),
        bytes: z.int(),
        uploaded: z.int().describe('毫秒时间戳'),
      }),
    ),
    count: z.int().describe('一共多少个'),
    bytes: z.int().describe('一共多少字节'),
  }),
});
