import { z } from 'zod';
import { AnnouncementPush, AnnouncementRevokePush } from './announcement.ts';
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
  announcement: AnnouncementPush,
  announcement_revoke: AnnouncementRevokePush,
} as const;

export type PushName = keyof typeof pushes;

/** The data of one push; pushes of the log carry `position` beside it. */
export type PushData<Name extends PushName> = z.infer<(typeof pushes)[Name]>;

/** The pushes as the rows of `pushes.push` have them: what differs between sockets is added when they are sent. */
export const storedPushes = { ...pushes, settingChange: StoredSettingChange } as const;

/** The data of one push as its row has it, without `position`. */
export type StoredData<Name extends PushName> = z.infer<(typeof storedPushes)[Name]>;

/** What a push of the log has beside its data; see position.ts. */
export const Positioned = z.object({ position: z.string() });

/** The channel of one person. */
export const userChannel = (uid: number): string => `user-${uid}`;

/** The channel of a group's members. */
export const groupChannel = (gid: number): string => `group-${gid}`;

/** The channel of everyone with an account: announcements are nothing for strangers. */
export const announcementChannel = 'announcements';

/** The channel of everyone, strangers included. */
export const globalChannel = 'global';
