import { z } from 'zod';
import { AddFriendPush, FriendApplyPush, PresencePush, ProfilePush, RemoveFriendPush } from './friend.ts';
import { AddGroupPush, RemoveGroupPush, UpdateGroupPush, UpdatePush } from './group.ts';
import { ChatPush, MessagePush } from './message.ts';
import { SettingChangePush, StoredSettingChange } from './setting.ts';

/** Every event that the server pushes, with the shape of its data. */
export const pushes = {
  message: MessagePush,
  revoke: ChatPush,
  message_delete: ChatPush,
  read: ChatPush,
  friendApply: FriendApplyPush,
  addFriend: AddFriendPush,
  removeFriend: RemoveFriendPush,
  presence: PresencePush,
  profile: ProfilePush,
  addGroup: AddGroupPush,
  removeGroup: RemoveGroupPush,
  updateGroup: UpdateGroupPush,
  update: UpdatePush,
  settingChange: SettingChangePush,
} as const;

export type PushName = keyof typeof pushes;

/** The data of one push; those that come from the log carry `position` beside it. */
export type PushData<Name extends PushName> = z.infer<(typeof pushes)[Name]>;

/** The pushes as the log's rows have them: what differs between hearers is filled in for each of them. */
export const storedPushes = { ...pushes, settingChange: StoredSettingChange } as const;

/** The data of one push as its row has it, but for `position`. */
export type StoredData<Name extends PushName> = z.infer<(typeof storedPushes)[Name]>;

/** What is beside the data of a push that comes from the log; see position.ts. */
export const Positioned = z.object({ position: z.string() });

/** The channel that one person hears. */
export const userChannel = (uid: number): string => `user-${uid}`;

/** The channel that a group's members hear. */
export const groupChannel = (gid: number): string => `group-${gid}`;

/** The channel that everyone hears. */
export const globalChannel = 'global';
