import { z } from 'zod';

const gid = z.int().positive();

/** The hearer is in the group now. `uid` is who made or brought it about, `content` the notice of it. */
export const AddGroupPush = z.object({
  gid,
  groupname: z.string(),
  avatar: z.string(),
  uid: z.int().positive(),
  content: z.string().optional(),
});

/** The hearer is no longer in the group, or there is no such group any more. */
export const RemoveGroupPush = z.object({ gid });

/** The group's picture is another. */
export const UpdateGroupPush = z.object({ gid, avatar: z.string() });

/** Name, owner, managers or mutes changed: ask group/detail. `name` is the group's, as it is now. */
export const UpdatePush = z.object({ gid, name: z.string() });
