import { ConversationId, friendConversation, Gid, groupConversation, type Mid, Uid } from '../ids.ts';
import type { EventData, EventNamed, EventType } from './index.ts';

/** What an event is about, beside its stream: by this it is found again. */
export interface Concerns {
  /** The people whom it names, each once: not all who see its effect, as the members of a group. */
  readonly people: readonly Uid[];
  /** The conversation where it shows, or whose rules it changes. */
  readonly conversation: ConversationId | null;
  /** The message or notice that it makes, changes, or marks as read. */
  readonly mid: Mid | null;
}

const about = (
  people: readonly Uid[],
  conversation: ConversationId | null = null,
  mid: Mid | null = null,
) => ({
  people: [...new Set(people)],
  conversation,
  mid,
});
const between = (one: Uid, other: Uid, mid: Mid | null = null) =>
  about([one, other], friendConversation(one, other), mid);
const inGroup = (gid: Gid, people: readonly Uid[], mid: Mid | null = null) =>
  about(people, groupConversation(gid), mid);

/** The people of a conversation between two; none of a group's. */
const partiesOf = (conversation: ConversationId): Uid[] =>
  conversation.startsWith('f')
    ? conversation
        .slice(1)
        .split('-')
        .map((uid) => Number(uid) as Uid)
    : [];

const ofPerson = ({ uid }: { readonly uid: Uid }) => about([uid]);

/** What an event of a group has if it leaves a notice. */
interface InGroup {
  readonly gid: Gid;
  readonly noticeMid?: Mid | null;
}
const ofMember = ({ gid, uid, noticeMid = null }: InGroup & { readonly uid: Uid }) =>
  inGroup(gid, [uid], noticeMid);
const ofChanger = ({ gid, by, noticeMid = null }: InGroup & { readonly by: Uid }) =>
  inGroup(gid, [by], noticeMid);
const ofPair = ({ by, friend }: { readonly by: Uid; readonly friend: Uid }) => between(by, friend);
const ofApplication = ({ from, to }: { readonly from: Uid; readonly to: Uid }) => between(from, to);
const ofChat = ({ uid, conversation }: { readonly uid: Uid; readonly conversation: ConversationId }) =>
  about([uid, ...partiesOf(conversation)], conversation);
const ofReply = ofPerson;
const ofPersonIfKnown = ({ uid }: { readonly uid: Uid | null }) => about(uid === null ? [] : [uid]);

/** What each type of event is about; the type system asks for one entry for every type. */
const concerns: { readonly [Type in EventType]: (data: EventData[Type]) => Concerns } = {
  UserRegistered: ({ uid, parent }) => about(parent === null ? [uid] : [uid, parent]),
  ProfileChanged: ofPerson,
  AccountDisabled: ofPerson,
  AccountEnabled: ofPerson,
  AccountDeleted: ofPerson,
  AccountDeletionCompleted: ofPerson,
  MembershipGranted: ofPerson,
  MembershipRevoked: ofPerson,
  PhoneBound: ofPerson,

  FriendApplied: ofApplication,
  FriendAgreed: ({ from, to, mid }) => between(from, to, mid),
  FriendRefused: ofApplication,
  Befriended: ofPair,
  FriendRemarked: ofPair,
  Unfriended: ofPair,

  GroupCreated: ({ gid, owner, members, noticeMid }) => inGroup(gid, [owner, ...members], noticeMid),
  MembersAdded: ({ gid, by, members, noticeMid }) => inGroup(gid, [by, ...members], noticeMid),
  MemberJoined: ofMember,
  MembersRemoved: ({ gid, by, members }) => inGroup(gid, [by, ...members]),
  MemberLeft: ofMember,
  ManagerAppointed: ofMember,
  ManagerDismissed: ofMember,
  MemberMuted: ({ gid, by, uid, noticeMid }) => inGroup(gid, [by, uid], noticeMid),
  MemberUnmuted: ({ gid, by, uid, noticeMid }) => inGroup(gid, [by, uid], noticeMid),
  GroupMuted: ofChanger,
  GroupUnmuted: ofChanger,
  GroupRemarked: ofMember,
  GroupUpdated: ofChanger,
  GroupTransferred: ({ gid, from, to }) => inGroup(gid, [from, to]),
  CodesRevoked: ofChanger,
  MembersInvited: ({ gid, by, invitations }) => inGroup(gid, [by, ...invitations.map(({ uid }) => uid)]),
  InvitationAnswered: ofMember,
  MembersReleased: ({ gid, members }) => inGroup(gid, members),
  GroupDissolved: ofChanger,

  MessageSent: ({ conversation, from, mentions, mid }) => {
    const mentioned = (mentions ?? []).filter((mention) => mention !== 'all');
    return about([from, ...partiesOf(conversation), ...mentioned], conversation, mid);
  },
  MessageRevoked: ({ conversation, by, mid }) => about([by, ...partiesOf(conversation)], conversation, mid),
  MessageWithdrawn: ({ conversation, mid }) => about(partiesOf(conversation), conversation, mid),
  MessageDeleted: ({ conversation, by, mid }) => about([by, ...partiesOf(conversation)], conversation, mid),

  ReadTo: ({ uid, conversation, mid }) => about([uid, ...partiesOf(conversation)], conversation, mid),
  UnreadMarked: ofChat,
  ChatHidden: ofChat,
  ChatShown: ofChat,
  ChatPinned: ofChat,
  ChatUnpinned: ofChat,
  AnnouncementsSeen: ofPerson,

  ReplyAdded: ofReply,
  ReplyUpdated: ofReply,
  ReplyDeleted: ofReply,

  SettingsChanged: () => about([]),
  AnnouncementSent: () => about([]),
  AnnouncementRevoked: () => about([]),
  AllowanceUsed: ofPerson,
  EventSkipped: () => about([]),

  LoggedIn: ofPerson,
  LoginFailed: ofPersonIfKnown,
  PasswordChanged: ofPerson,
  SessionEnded: ofPerson,
  SessionRevoked: ofPerson,
  FileUploaded: ofPersonIfKnown,
  AuditUsed: () => about([]),
};

/** What an event is about. */
export function concernsOf<Type extends EventType>({ type, data }: EventNamed<Type>): Concerns {
  return concerns[type](data);
}

/** What an event that cannot be read is about, as far as the name of its stream says it. */
export function concernsOfStream(stream: string): Concerns {
  const [category, ...parts] = stream.split('-');
  const uids = parts.flatMap((part) => Uid.safeParse(Number(part)).data ?? []);
  const [one, other] = uids;
  if (category === 'conversation') {
    const conversation = ConversationId.safeParse(parts.join('-')).data ?? null;
    return about(conversation === null ? [] : partiesOf(conversation), conversation);
  }
  if (category === 'friendship' && one !== undefined && other !== undefined) return between(one, other);
  const gid = category === 'group' ? Gid.safeParse(Number(parts[0])).data : undefined;
  if (gid !== undefined) return inGroup(gid, []);
  return about(category !== undefined && personal.has(category) ? uids.slice(0, 1) : []);
}

/** The categories whose streams are named after a person. */
const personal: ReadonlySet<string> = new Set(['user', 'inbox', 'reply', 'allowance', 'access']);
