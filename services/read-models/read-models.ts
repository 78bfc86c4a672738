import type {
  AnnouncementId,
  ApplicationId,
  ConversationId,
  Gid,
  Mid,
  NumberId,
  ReplyId,
  Uid,
} from '../../contracts/ids.ts';
import { bigint, bigints, boolean, integer, narrowed, nullable, oneOf, text, uuid } from './column.ts';
import { readModel } from './read-model.ts';

/*
 * The read models' columns, once for the projections that write them and the queries that read them. What a column
 * means is in the migration that makes it (projections/migrations/).
 */

const uid = narrowed<Uid, number>(bigint);
const gid = narrowed<Gid, number>(bigint);
const mid = narrowed<Mid, number>(bigint);
const conversation = narrowed<ConversationId, string>(text);

const users = readModel(
  'users',
  {
    uid,
    username: text,
    nickname: text,
    avatar: text,
    sign: text,
    phone: nullable(text),
    number_id: narrowed<NumberId, number>(bigint),
    is_member: boolean,
    account_state: oneOf(text, 'normal', 'disabled', 'deleted'),
    parent: nullable(uid),
    created: bigint,
  },
  ['uid'],
);

const deletions = readModel('deletions', { uid, begun: bigint }, ['uid']);

const friendships = readModel('friendships', { uid, friend: uid, remark: text }, ['uid', 'friend']);

const applications = readModel(
  'applications',
  {
    application_id: narrowed<ApplicationId, number>(bigint),
    applicant: uid,
    recipient: uid,
    postscript: text,
    operation: oneOf(text, 'not_operated', 'refuse', 'agree'),
    timestamp: bigint,
    gid: nullable(gid),
  },
  // An id may have been given twice, to different people.
  ['recipient', 'application_id', 'applicant'],
);

const groups = readModel(
  'groups',
  {
    gid,
    owner: uid,
    name: text,
    avatar: nullable(text),
    faces: narrowed<readonly Uid[], readonly number[]>(bigints),
    state: oneOf(text, 'normal', 'dissolved'),
    muted: boolean,
    created: bigint,
    next_index: bigint,
    member_count: bigint,
  },
  ['gid'],
);

const groupMembers = readModel(
  'group_members',
  {
    gid,
    uid,
    index: bigint,
    role: oneOf(text, 'owner', 'manager', 'member'),
    muted_until: bigint,
    remark: text,
    joined_sequence: bigint,
    joined_place: text,
  },
  ['gid', 'uid'],
);

const groupMutes = readModel('group_mutes', { gid, uid, until: bigint }, ['gid', 'uid']);

const conversations = readModel(
  'conversations',
  {
    conversation,
    sequence: bigint,
    counted: bigint,
    last_message_sequence: bigint,
    dead_sequence: bigint,
    last_place: text,
    newest_mid: nullable(mid),
    newest_sender: nullable(uid),
    newest_content: nullable(text),
    newest_timestamp: nullable(bigint),
    newest_sub_type: nullable(oneOf(text, 'message', 'notice')),
    newest_state: nullable(oneOf(text, 'normal', 'revoked', 'withdrawn')),
  },
  ['conversation'],
);

const messages = readModel(
  'messages',
  {
    conversation,
    sequence: bigint,
    mid,
    event_id: uuid,
    sender: uid,
    content: text,
    timestamp: bigint,
    sub_type: oneOf(text, 'message', 'notice'),
    state: oneOf(text, 'normal', 'revoked', 'withdrawn', 'deleted'),
    quote_mid: nullable(mid),
    mentions: nullable(bigints),
    unique_id: nullable(text),
    content_hash: nullable(text),
    counted: bigint,
    own: bigint,
  },
  ['conversation', 'sequence'],
);

const messageDeletions = readModel('message_deletions', { uid, conversation, sequence: bigint }, [
  'uid',
  'conversation',
  'sequence',
]);

const inbox = readModel(
  'inbox',
  {
    uid,
    conversation,
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

const replies = readModel(
  'replies',
  {
    rid: narrowed<ReplyId, number>(bigint),
    uid,
    type: oneOf(integer, 1, 2, 3),
    title: text,
    content: text,
    weights: bigint,
    is_default: boolean,
  },
  // An id may have been given twice, to different members.
  ['uid', 'rid'],
);

const settings = readModel('settings', { name: text, value: text }, ['name']);

const announcements = readModel(
  'announcements',
  { id: narrowed<AnnouncementId, number>(bigint), content: text, timestamp: bigint, revoked: boolean },
  ['id'],
);

const announcementsSeen = readModel('announcements_seen', { uid, seen: bigint }, ['uid']);

/** All read models. */
export const readModels = {
  users,
  deletions,
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
  announcements,
  announcementsSeen,
} as const;
