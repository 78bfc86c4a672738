import { z } from 'zod';

const uid = z.int().positive();

/** `uid` asks to be a friend, or, with `gid`, invites into that group. */
export const FriendApplyPush = z.object({ uid, gid: z.int().positive().optional() });

/** A new friend, as the recipient's list of friends shows them. */
export const AddFriendPush = z.object({ uid, name: z.string(), avatar: z.string() });

/** `uid` is no longer a friend. */
export const RemoveFriendPush = z.object({ uid });

/** `uid`'s nickname or avatar changed. */
export const ProfilePush = z.object({ uid, nickname: z.string(), avatar: z.string() });

/** `uid` went online or offline. Comes from the gateway, not from the log. */
export const PresencePush = z.object({ uid, state: z.enum(['online', 'offline']) });
