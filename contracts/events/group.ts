import { z } from 'zod';
import { ApplicationId, Gid, Mid, Uid } from '../ids.ts';
import { type EventOf, event, personal, type Upcast } from './event.ts';

/**
 * Of the line that an event leaves in the group's conversation. The projection writes it, with the nicknames of
 * that moment; version 1 recorded the whole sentence, which stays as `noticeText`.
 */
const notice = { noticeMid: Mid, noticeText: personal(z.string()).optional() };

const NoticeOfVersion1 = z.object({ mid: Mid, content: z.string() });
const noticeApart: Upcast = ({ notice, ...data }) => {
  const { mid, content } = NoticeOfVersion1.safeParse(notice).data ?? {};
  return { ...data, noticeMid: mid, noticeText: content };
};

/**
 * The members after the event who make the group's picture: the first nine, in joining order. Null in
 * events of version 1, which did not say it: then all members must be looked at.
 */
const faces = z.array(Uid).nullable();
const withoutFaces = (data: Readonly<Record<string, unknown>>) => ({ ...data, faces: null });

/** Stream `group-{gid}`: who is in a group, and what they may do. */
export const groupEvents = [
  event(
    'GroupCreated',
    z.object({
      gid: Gid,
      owner: Uid,
      /** In joining order, the owner first, nobody twice. */
      members: z.array(Uid),
      /** Null: the nicknames of its first nine members at that moment. Version 1 and 2 recorded those as its name. */
      name: personal(z.string()).nullable(),
      /** Null: the composed picture of the first nine. */
      avatar: personal(z.string()).nullable(),
      /** Of the notice that the creation leaves; null in a group of one, and before version 2. */
      noticeMid: Mid.nullable(),
    }),
    [(data) => ({ ...data, noticeMid: null }), (data) => data],
  ),
  event('MembersAdded', z.object({ gid: Gid, by: Uid, members: z.array(Uid), ...notice }), [noticeApart]),
  event('MemberJoined', z.object({ gid: Gid, uid: Uid, ...notice }), [noticeApart]),
  event('MembersRemoved', z.object({ gid: Gid, by: Uid, members: z.array(Uid), faces }), [withoutFaces]),
  event('MemberLeft', z.object({ gid: Gid, uid: Uid, faces }), [withoutFaces]),
  event('ManagerAppointed', z.object({ gid: Gid, uid: Uid })),
  event('ManagerDismissed', z.object({ gid: Gid, uid: Uid })),
  /** `until` in whole seconds since 1970. */
  event('MemberMuted', z.object({ gid: Gid, by: Uid, uid: Uid, until: z.int(), ...notice }), [noticeApart]),
  event('MemberUnmuted', z.object({ gid: Gid, by: Uid, uid: Uid, ...notice }), [noticeApart]),
  event('GroupMuted', z.object({ gid: Gid, by: Uid, ...notice }), [noticeApart]),
  event('GroupUnmuted', z.object({ gid: Gid, by: Uid, ...notice }), [noticeApart]),
  /** The caller's own name for the group; nobody else sees it. */
  event('GroupRemarked', z.object({ gid: Gid, uid: Uid, remark: personal(z.string()) })),
  event(
    'GroupUpdated',
    z.object({
      gid: Gid,
      by: Uid,
      name: personal(z.string()).optional(),
      avatar: personal(z.string()).optional(),
    }),
  ),
  event('GroupTransferred', z.object({ gid: Gid, from: Uid, to: Uid })),
  /** Every token that the group's QR code carried so far opens nothing any more. */
  event('CodesRevoked', z.object({ gid: Gid, by: Uid })),
  /** People who are asked first: each becomes a member by agreeing to the application of that id. */
  event(
    'MembersInvited',
    z.object({
      gid: Gid,
      by: Uid,
      invitations: z.array(z.object({ uid: Uid, applicationId: ApplicationId })),
    }),
  ),
  /** `agree` also stands beside the event by which one joined another way while they were invited. */
  event(
    'InvitationAnswered',
    z.object({ gid: Gid, uid: Uid, applicationId: ApplicationId, answer: z.enum(['agree', 'refuse']) }),
  ),
  /** The group is dissolved by the same append: these members, 1,000 at most, are in it no longer. */
  event('MembersReleased', z.object({ gid: Gid, members: z.array(Uid) })),
  /** `released`: MembersReleased names every member before it; in version 1 nothing does. */
  event('GroupDissolved', z.object({ gid: Gid, by: Uid, released: z.boolean() }), [
    (data) => ({ ...data, released: false }),
  ]),
] as const;

export type GroupEvent = EventOf<(typeof groupEvents)[number]>;
