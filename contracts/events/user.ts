import { z } from 'zod';
import { NumberId, Uid } from '../ids.ts';
import { type EventOf, event, personal } from './event.ts';

/** Stream `user-{uid}`: one person's profile and account. */
export const userEvents = [
  event(
    'UserRegistered',
    z.object({
      uid: Uid,
      username: personal(z.string()),
      nickname: personal(z.string()),
      avatar: personal(z.string()),
      sign: personal(z.string()),
      phone: personal(z.string()).nullable(),
      numberId: NumberId,
      /** The member (会员) under whom the account was opened, if any. */
      parent: Uid.nullable(),
    }),
  ),
  event(
    'ProfileChanged',
    z.object({
      uid: Uid,
      nickname: personal(z.string()).optional(),
      avatar: personal(z.string()).optional(),
      sign: personal(z.string()).optional(),
    }),
  ),
  event('AccountDisabled', z.object({ uid: Uid })),
  event('AccountEnabled', z.object({ uid: Uid })),
  event('MembershipGranted', z.object({ uid: Uid })),
  event('MembershipRevoked', z.object({ uid: Uid })),
  /**
   * The account is gone for good: its names are free, and nobody acts in it any more. Its friendships, groups and
   * applications end in their own streams, caused by this event.
   */
  event('AccountDeleted', z.object({ uid: Uid })),
  /** Everything that the deletion ends has ended. */
  event('AccountDeletionCompleted', z.object({ uid: Uid })),
  event('PhoneBound', z.object({ uid: Uid, phone: personal(z.string()) })),
] as const;

export type UserEvent = EventOf<(typeof userEvents)[number]>;
