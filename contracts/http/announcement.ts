import { z } from 'zod';
import { AnnouncementId } from '../ids.ts';
import { contract } from './contract.ts';
import { announcementId } from './example-ids.ts';
import { caller } from './group.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

/** Characters of an announcement: at most 8 KB to each socket. */
const maxContentLength = 2_000;

const id = parameter
  .integer(1)
  .pipe(AnnouncementId)
  .meta({
    shown: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    description: '公告id',
  });

export const ListedAnnouncement = z
  .object({
    id: z.int(),
    content: z.string(),
    timestamp: z.int().describe('发布时间戳'),
  })
  .meta({ id: 'Announcement' });
export type ListedAnnouncement = z.infer<typeof ListedAnnouncement>;

export const announcementSend = contract({
  path: '/announcement/send',
  methods: ['POST'],
  access: 'server',
  ours: true,
  summary: '向所有人发布公告',
  refuses: ['tooOften'],
  example: { parameters: { content: '今晚22点至23点系统维护' }, data: { id: announcementId + 1 } },
  parameters: z.object({
    content: parameter.text(1, maxContentLength).describe('公告内容'),
    uniqueId: parameter.text(1, 64).describe('调用方生成的唯一id,重复请求得到同一条公告').optional(),
  }),
  data: z.object({ id: z.int() }),
});

export const announcementRevoke = contract({
  path: '/announcement/revoke',
  methods: ['POST'],
  access: 'server',
  ours: true,
  summary: '撤回公告',
  refuses: ['noRecord'],
  example: { parameters: { id: announcementId }, data: [] },
  parameters: z.object({ id }),
  data: nothing,
});

export const announcementList = contract({
  path: '/announcement/list',
  methods: ['GET'],
  access: 'known',
  ours: true,
  summary: '列出公告,最新的在前',
  example: {
    parameters: { limit: 20 },
    data: {
      announcements: [{ id: announcementId, content: '今晚22点至23点系统维护', timestamp: 1559031383 }],
      seen: 0,
      unread: 1,
    },
  },
  parameters: z.object({
    ...caller,
    before: id.describe('查找此公告之前的,用于分页').optional(),
    limit: parameter.limit(100, 20),
  }),
  data: z.object({
    announcements: z.array(ListedAnnouncement),
    seen: z.int().describe('已看到哪个id;服务端密钥不代表任何人时没有').optional(),
    unread: z.int().describe('注册以后发布、还没有看过的条数').optional(),
  }),
});

export const announcementSeen = contract({
  path: '/announcement/seen',
  methods: ['POST'],
  access: 'user',
  ours: true,
  summary: '标记已看到某条公告为止',
  refuses: ['noUser', 'noRecord'],
  example: { parameters: { id: announcementId }, data: [] },
  parameters: z.object({ ...caller, id }),
  data: nothing,
});
