import type { EventData, EventNamed, EventType } from '../../../contracts/events/index.ts';
import { type ConversationId, conversationParties, type Gid, type Uid } from '../../../contracts/ids.ts';
import { utcTime } from '../local-time.ts';

/** How people and groups are called in a sentence. */
export interface Naming {
  person(uid: Uid): string;
  group(gid: Gid): string;
}

/** Texts of people are shown up to this many characters. */
const maxTextLength = 200;

/** A text of a person, quoted, with what a terminal or a line would obey escaped as JSON escapes it. */
function quoted(text: string): string {
  return JSON.stringify(text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text);
}

/** Several things in a row: `a, b and c`. */
function list(items: readonly string[]): string {
  const last = items.at(-1);
  if (last === undefined) return 'nobody';
  return items.length === 1 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

/** More people than this are counted, not named. */
const maxNamed = 5;

function people(uids: readonly Uid[], { person }: Naming): string {
  if (uids.length > maxNamed) return `${uids.length} people`;
  return list(uids.map(person));
}

function chat(conversation: ConversationId, naming: Naming, self?: Uid): string {
  const parties = conversationParties(conversation);
  if (parties.type === 'group') return naming.group(parties.gid);
  const others = parties.uids.filter((uid) => uid !== self);
  return list(others.map(naming.person));
}

function changes(data: Readonly<Record<string, unknown>>): string {
  const changed = Object.entries(data).filter(([, value]) => value !== undefined);
  return list(changed.map(([name, value]) => `${name} to ${quoted(String(value))}`));
}

/** How many like an event of access were not recorded one by one. */
const more = (suppressed: number | undefined) =>
  suppressed === undefined ? '' : `; ${suppressed} more before it`;

const passwordShown = { server: "the server's key", password: 'the old one', code: 'an SMS code' };

const replyTypes = { 1: 'welcome', 2: 'quick reply', 3: 'frequent question' };

/** What happened, for each type of event: the type system asks for one entry for every type. */
const sentences: {
  readonly [Type in EventType]: (data: EventData[Type], naming: Naming) => string;
} = {
  UserRegistered: ({ uid, username, nickname }, { person }) =>
    `registered ${person(uid)} as ${quoted(username)}, nickname ${quoted(nickname)}`,
  ProfileChanged: ({ uid, ...rest }, { person }) => `changed of ${person(uid)}: ${changes(rest)}`,
  AccountDisabled: ({ uid }, { person }) => `disabled the account of ${person(uid)}`,
  AccountEnabled: ({ uid }, { person }) => `enabled the account of ${person(uid)}`,
  AccountDeleted: ({ uid }, { person }) => `deleted the account of ${person(uid)}`,
  AccountDeletionCompleted: ({ uid }, { person }) =>
    `completed the deletion of ${person(uid)}: no friendship, group or application is left`,
  MembershipGranted: ({ uid }, { person }) => `made ${person(uid)} a member (会员)`,
  MembershipRevoked: ({ uid }, { person }) => `ended the membership (会员) of ${person(uid)}`,
  PhoneBound: ({ uid, phone }, { person }) => `bound the phone ${quoted(phone)} to ${person(uid)}`,

  FriendApplied: ({ from, to, postscript }, { person }) =>
    `${person(from)} asked ${person(to)} to be friends: ${quoted(postscript)}`,
  FriendAgreed: ({ from, to, mid }, { person }) =>
    `${person(to)} agreed to be a friend of ${person(from)}, and greeted with message ${mid}`,
  FriendRefused: ({ from, to }, { person }) => `${person(to)} refused to be a friend of ${person(from)}`,
  Befriended: ({ by, friend }, { person }) => `made ${person(by)} and ${person(friend)} friends`,
  FriendRemarked: ({ by, friend, remark }, { person }) =>
    `${person(by)} calls ${person(friend)} ${quoted(remark)}`,
  Unfriended: ({ by, friend }, { person }) => `${person(by)} ended the friendship with ${person(friend)}`,

  GroupCreated: ({ gid, owner, members }, naming) =>
    `created ${naming.group(gid)}, owned by ${naming.person(owner)}, with ${people(members, naming)}`,
  MembersAdded: ({ gid, members }, naming) => `added ${people(members, naming)} to ${naming.group(gid)}`,
  MemberJoined: ({ gid, uid }, { group, person }) => `${person(uid)} joined ${group(gid)}`,
  MembersRemoved: ({ gid, members }, naming) =>
    `removed ${people(members, naming)} from ${naming.group(gid)}`,
  MemberLeft: ({ gid, uid }, { group, person }) => `${person(uid)} left ${group(gid)}`,
  ManagerAppointed: ({ gid, uid }, { group, person }) => `made ${person(uid)} a manager of ${group(gid)}`,
  ManagerDismissed: ({ gid, uid }, { group, person }) =>
    `dismissed ${person(uid)} as manager of ${group(gid)}`,
  MemberMuted: ({ gid, uid, until }, { group, person }) =>
    `muted ${person(uid)} in ${group(gid)} until ${utcTime(until * 1000)}`,
  MemberUnmuted: ({ gid, uid }, { group, person }) => `unmuted ${person(uid)} in ${group(gid)}`,
  GroupMuted: ({ gid }, { group }) => `muted ${group(gid)}`,
  GroupUnmuted: ({ gid }, { group }) => `unmuted ${group(gid)}`,
  GroupRemarked: ({ gid, uid, remark }, { group, person }) =>
    `${person(uid)} calls ${group(gid)} ${quoted(remark)}`,
  GroupUpdated: ({ gid, by: _, ...rest }, { group }) => `changed of ${group(gid)}: ${changes(rest)}`,
  GroupTransferred: ({ gid, from, to }, { group, person }) =>
    `transferred ${group(gid)} from ${person(from)} to ${person(to)}`,
  CodesRevoked: ({ gid }, { group }) => `revoked the QR codes of ${group(gid)}`,
  MembersInvited: ({ gid, invitations }, naming) =>
    `invited ${people(
      invitations.map(({ uid }) => uid),
      naming,
    )} to ${naming.group(gid)}`,
  InvitationAnswered: ({ gid, uid, answer }, { group, person }) =>
    `${person(uid)} ${answer === 'agree' ? 'accepted' : 'refused'} the invitation to ${group(gid)}`,
  MembersReleased: ({ gid, members }, naming) =>
    `released ${people(members, naming)} from ${naming.group(gid)}, which is dissolved`,
  GroupDissolved: ({ gid }, { group }) => `dissolved ${group(gid)}`,

  MessageSent: ({ conversation, from, mid, content, quoteMid, automatic }, naming) => {
    const quote = quoteMid === undefined ? '' : `, quoting message ${quoteMid}`;
    const how = automatic === true ? 'automatic ' : '';
    return `${how}message ${mid} from ${naming.person(from)} to ${chat(conversation, naming, from)}${quote}: ${quoted(content)}`;
  },
  MessageRevoked: ({ conversation, mid, by }, naming) =>
    `${naming.person(by)} revoked message ${mid} in the chat with ${chat(conversation, naming, by)}`,
  MessageWithdrawn: ({ conversation, mid }, naming) =>
    `withdrew message ${mid} in the chat of ${chat(conversation, naming)}`,
  MessageDeleted: ({ conversation, mid, by, scope }, naming) =>
    `${naming.person(by)} deleted message ${mid} ${scope === 'all' ? 'for all' : 'for themselves'} in the chat with ${chat(conversation, naming, by)}`,

  ReadTo: ({ uid, conversation, mid }, naming) =>
    `${naming.person(uid)} read up to message ${mid} in the chat with ${chat(conversation, naming, uid)}`,
  UnreadMarked: ({ uid, conversation, count }, naming) =>
    `${naming.person(uid)} marked the chat with ${chat(conversation, naming, uid)} as unread: ${count}`,
  ChatHidden: ({ uid, conversation }, naming) =>
    `${naming.person(uid)} hid the chat with ${chat(conversation, naming, uid)}`,
  ChatShown: ({ uid, conversation }, naming) =>
    `${naming.person(uid)} shows the chat with ${chat(conversation, naming, uid)}`,
  ChatPinned: ({ uid, conversation }, naming) =>
    `${naming.person(uid)} pinned the chat with ${chat(conversation, naming, uid)}`,
  ChatUnpinned: ({ uid, conversation }, naming) =>
    `${naming.person(uid)} unpinned the chat with ${chat(conversation, naming, uid)}`,

  AnnouncementsSeen: ({ uid, id }, { person }) => `${person(uid)} has seen the announcements up to ${id}`,

  ReplyAdded: ({ rid, uid, type, title }, { person }) =>
    `${person(uid)} added reply ${rid}, a ${replyTypes[type]}: ${quoted(title)}`,
  ReplyUpdated: ({ rid, uid, type, title }, { person }) =>
    `${person(uid)} changed reply ${rid}, a ${replyTypes[type]}: ${quoted(title)}`,
  ReplyDeleted: ({ rid, uid }, { person }) => `${person(uid)} deleted reply ${rid}`,

  SettingsChanged: ({ changes: changed }) => `set ${changes(changed)}`,
  AnnouncementSent: ({ id, content }) => `announced to everyone, number ${id}: ${quoted(content)}`,
  AnnouncementRevoked: ({ id }) => `revoked announcement ${id}`,
  AllowanceUsed: ({ uid, allowance, count }, { person }) => `${person(uid)} used ${allowance}: ${count}`,
  EventSkipped: ({ stream, revision, type, why }) =>
    `skipped ${type} at ${stream}@${revision}: ${quoted(why)}`,

  LoggedIn: ({ uid, session, suppressed }, { person }) =>
    `${person(uid)} logged in, session ${session}${more(suppressed)}`,
  LoginFailed: ({ uid, suppressed }, { person }) =>
    `wrong password for ${uid === null ? 'a name that nobody has' : person(uid)}${more(suppressed)}`,
  PasswordChanged: ({ uid, by, suppressed }, { person }) =>
    `changed the password of ${person(uid)} by ${passwordShown[by]}${more(suppressed)}`,
  SessionEnded: ({ uid, session, why, suppressed }, { person }) =>
    `ended ${session === null ? 'all sessions' : `session ${session}`} of ${person(uid)}: ${why}${more(suppressed)}`,
  SessionRevoked: ({ uid, session, suppressed }, { person }) =>
    `ended ${session === null ? 'all sessions' : `session ${session}`} of ${person(uid)}${more(suppressed)}`,
  FileUploaded: ({ uid, path, bytes, suppressed }, { person }) =>
    `${uid === null ? 'the server' : person(uid)} uploaded ${quoted(path)}, ${bytes} bytes${more(suppressed)}`,
  AuditUsed: ({ command, arguments: given, suppressed }) =>
    `audited: ${quoted([command, ...given].join(' '))}${more(suppressed)}`,
};

/** What happened, in one sentence. */
export function sentenceOf<Type extends EventType>({ type, data }: EventNamed<Type>, naming: Naming): string {
  return sentences[type](data, naming);
}
