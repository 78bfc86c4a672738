import { bigint, bigints, boolean, integer, nullable, oneOf, text, uuid } from './store/column.ts';
import { type RowOf, table } from './store/table.ts';

/* The read models' tables as the projections know them; migrations/ makes them. */

export const users = table(
  'users',
  {
    uid: bigint,
    username: text,
    nickname: text,
    avatar: text,
    sign: text,
    phone: nullable(text),
    number_id: bigint,
    is_member: boolean,
    account_state: oneOf('normal', 'disabled'),
    parent: nullable(bigint),
  },
  ['uid'],
);
export type UserRow = RowOf<typeof users>;

export const friendships = table('friendships', { uid: bigint, friend: bigint, remark: text }, [
  'uid',
  'friend',
]);
/** All friends of a person. */
export const friendsOf = friendships.listBy(['uid']);

export const applications = table(
  'applications',
  {
    application_id: bigint,
    applicant: bigint,
    recipient: bigint,
    postscript: text,
    operation: oneOf('not_operated', 'refuse', 'agree'),
    timestamp: bigint,
    gid: nullable(bigint),
  },
  // An id may have been given twice, to different people.
  ['recipient', 'application_id', 'applicant'],
);
/** What a person was asked under an id: one application, unless the id was given twice. */
export const applicationsUnder = applications.listBy(['recipient', 'application_id']);
/** What one person asked another so far. */
export const applicationsOf = applications.listBy(['applicant', 'recipient']);

export const groups = table(
  'groups',
  {
    gid: bigint,
    owner: bigint,
    name: text,
    avatar: nullable(text),
    faces: bigints,
    state: oneOf('normal', 'dissolved'),
    muted: boolean,
    created: bigint,
    next_index: bigint,
    member_count: bigint,
  },
  ['gid'],
);
export type GroupRow = RowOf<typeof groups>;

export const groupMembers = table(
  'group_members',
  {
    gid: bigint,
    uid: bigint,
    index: bigint,
    role: oneOf('owner', 'manager', 'member'),
    muted_until: bigint,
    remark: text,
    joined_sequence: bigint,
    joined_place: text,
  },
  ['gid', 'uid'],
);
export type GroupMemberRow = RowOf<typeof groupMembers>;
/** Everyone in a group. */
export const membersOf = groupMembers.listBy(['gid']);
/** All groups that a person is in. */
export const groupsOf = groupMembers.listBy(['uid']);

/** Until when people may not speak in a group, in seconds since 1970: also those who have left it. */
export const groupMutes = table('group_mutes', { gid: bigint, uid: bigint, until: bigint }, ['gid', 'uid']);

export const conversations = table(
  'conversations',
  {
    conversation: text,
    sequence: bigint,
    counted: bigint,
    last_message_sequence: bigint,
    dead_sequence: bigint,
    last_place: text,
    newest_mid: nullable(bigint),
    newest_sender: nullable(bigint),
    newest_content: nullable(text),
    newest_timestamp: nullable(bigint),
    newest_sub_type: nullable(oneOf('message', 'notice')),
    newest_state: nullable(oneOf('normal', 'revoked')),
  },
  ['conversation'],
);
export type ConversationRow = RowOf<typeof conversations>;

export const messages = table(
  'messages',
  {
    conversation: text,
    sequence: bigint,
    mid: bigint,
    event_id: uuid,
    sender: bigint,
    content: text,
    timestamp: bigint,
    sub_type: oneOf('message', 'notice'),
    state: oneOf('normal', 'revoked', 'deleted'),
    quote_mid: nullable(bigint),
    mentions: nullable(bigints),
    unique_id: nullable(text),
    content_hash: nullable(text),
    counted: bigint,
    own: bigint,
  },
  ['conversation', 'sequence'],
  { kept: 1_000, grows: true },
);
export type MessageRow = RowOf<typeof messages>;
/** The one message of a mid. */
export const messageOf = messages.listBy(['mid']);
/** The one message of an event id, among those that carry a uniqueId. */
export const messageOfEvent = messages.listBy(['event_id'], 'unique_id is not null');

export const messageDeletions = table(
  'message_deletions',
  { uid: bigint, conversation: text, sequence: bigint },
  ['uid', 'conversation', 'sequence'],
  { kept: 1_000 },
);

export const inbox = table(
  'inbox',
  {
    uid: bigint,
    conversation: text,
    party: bigint,
    read_sequence: bigint,
    read_others: nullable(bigint),
    own: bigint,
    own_sequence: bigint,
    hidden_sequence: nullable(bigint),
    pinned: boolean,
    marked_unread: bigint,
  },
  ['uid', 'conversation'],
);
export type InboxRow = RowOf<typeof inbox>;

export const replies = table(
  'replies',
  {
    rid: bigint,
    uid: bigint,
    type: integer,
    title: text,
    content: text,
    weights: bigint,
    is_default: boolean,
  },
  // An id may have been given twice, to different members.
  ['uid', 'rid'],
);
/** All replies of a member. */
export const repliesOf = replies.listBy(['uid']);

export const settings = table('settings', { name: text, value: text }, ['name']);
/** Every setting that was ever set. */
export const allSettings = settings.listBy([]);

/** All of them. */
export const tables = [
  users,
  friendships,
  applications,
  groups,
  groupMembers,
  groupMutes,
  conversations,
  messages,
  messageDeletions,
  inbox,
  replies,
  settings,
] as const;
