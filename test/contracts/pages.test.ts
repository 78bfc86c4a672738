import { expect, test } from 'vitest';
import type { z } from 'zod';
import { groupList, groupMemberList, userList } from '../../contracts/http/administration.ts';
import { announcementList } from '../../contracts/http/announcement.ts';
import { auditEvents } from '../../contracts/http/audit-events.ts';
import { auditUploads } from '../../contracts/http/audit-uploads.ts';
import { friendApplyList, friendGetList, friendGetTempList } from '../../contracts/http/friend.ts';
import { groupMembers } from '../../contracts/http/group-members.ts';
import { messageGet, messageSync } from '../../contracts/http/message.ts';
import { popGet } from '../../contracts/http/pop.ts';

test.each([
  ['user/list', userList, 50, 200],
  ['group/list', groupList, 50, 200],
  ['group/memberlist', groupMemberList, 50, 200],
  ['announcement/list', announcementList, 20, 100],
  ['audit/events', auditEvents, 50, 200],
  ['audit/uploads', auditUploads, 50, 200],
  ['friend/getlist', friendGetList, 10_000, 10_000],
  ['friend/applylist', friendApplyList, 1_000, 1_000],
  ['friend/get_temp_list', friendGetTempList, 1_000, 1_000],
  ['group/members', groupMembers, undefined, 500],
  ['message/get', messageGet, 20, 100],
  ['message/sync', messageSync, 200, 1_000],
  ['pop/get', popGet, 1_000, 1_000],
] as const)(
  'a page of %s has its default, and its maximum if more is asked for',
  (_, contract, byDefault, max) => {
    const limit: z.ZodType = contract.parameters.shape.limit;
    expect(limit.parse(undefined)).toBe(byDefault);
    for (const asked of [max, max + 1, 1e15]) expect(limit.parse(asked)).toBe(max);
    expect(limit.parse(1)).toBe(1);
    for (const asked of [0, -1, 1.5, '1e3', Number.MAX_VALUE])
      expect(limit.safeParse(asked).success).toBe(false);
  },
);
