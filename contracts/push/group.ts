import { z } from 'zod';

const gid = z.int().positive();

/** The recipient is in the group now. `uid` is who created the group or added them, `content` the notice of it. */
export const AddGroupPush = z.object({
  gid,
  groupname: z.string(),
  avatar: z.string(),
  uid: z.int().positive(),
  content: z.string().optional(),
});

/** The recipient is no longer in the group, or the group was dissolved. */
export const RemoveGroupPush = z.object({ gid });

/** The group's picture changed. */
export const UpdateGroupPush = z.object({ gid, avatar: z.string() });

/** Name, owner, managers or mutes changed: `group/detail` has them. `name` is the group's present name. */
export const UpdatePush = z.object({ gid, name: z.string() });
