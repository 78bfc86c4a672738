import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import type { ApplicationId, ConversationId, Gid, Mid, NumberId, ReplyId, Uid } from '../../contracts/ids.ts';
import { preparing } from '../postgres/prepared-queries.ts';

/** The read models as queries see them; projections/migrations/0003-read-models.sql says what each column means. */
export interface ReadTables {
  'read.users': {
    uid: Uid;
    username: string;
    nickname: string;
    avatar: string;
    sign: string;
    phone: string | null;
    number_id: NumberId;
    is_member: boolean;
    account_state: 'normal' | 'disabled';
    parent: Uid | null;
  };
  'read.friendships': { uid: Uid; friend: Uid; remark: string };
  'read.applications': {
    application_id: ApplicationId;
    applicant: Uid;
    recipient: Uid;
    postscript: string;
    operation: 'not_operated' | 'refuse' | 'agree';
    timestamp: number;
    gid: Gid | null;
  };
  'read.groups': {
    gid: Gid;
    owner: Uid;
    name: string;
    avatar: string | null;
    faces: Uid[];
    state: 'normal' | 'dissolved';
    muted: boolean;
    created: number;
    next_index: number;
    member_count: number;
  };
  'read.group_members': {
    gid: Gid;
    uid: Uid;
    index: number;
    role: 'owner' | 'manager' | 'member';
    muted_until: number;
    remark: string;
    joined_sequence: number;
    joined_place: string;
  };
  'read.conversations': {
    conversation: ConversationId;
    sequence: number;
    counted: number;
    last_message_sequence: number;
    dead_sequence: number;
    last_place: string;
    newest_mid: Mid | null;
    newest_sender: Uid | null;
    newest_content: string | null;
    newest_timestamp: number | null;
    newest_sub_type: 'message' | 'notice' | null;
    newest_state: 'normal' | 'revoked' | null;
  };
  'read.messages': {
    conversation: ConversationId;
    sequence: number;
    mid: Mid;
    event_id: string;
    sender: Uid;
    content: string;
    timestamp: number;
    sub_type: 'message' | 'notice';
    state: 'normal' | 'revoked' | 'deleted';
    quote_mid: Mid | null;
    mentions: number[] | null;
    unique_id: string | null;
    content_hash: string | null;
    counted: number;
    own: number;
  };
  'read.message_deletions': { uid: Uid; conversation: ConversationId; sequence: number };
  'read.inbox': {
    uid: Uid;
    conversation: ConversationId;
    party: number;
    read_sequence: number;
    read_others: number | null;
    own: number;
    own_sequence: number;
    hidden_sequence: number | null;
    pinned: boolean;
    marked_unread: number;
  };
  'read.replies': {
    rid: ReplyId;
    uid: Uid;
    type: 1 | 2 | 3;
    title: string;
    content: string;
    weights: number;
    is_default: boolean;
  };
  'read.settings': { name: string; value: string };
  'read.push': {
    place: string;
    number: number;
    channel: string;
    event: string;
    data: string;
    batch: number;
    created: Date;
  };
  'followers.checkpoint': {
    name: string;
    position: string;
    event_id: string | null;
    batch: number;
    fence: number;
    installation: string | null;
    epoch: string;
    quiet_until: string;
  };
}

export type ReadDatabase = Kysely<ReadTables>;

/** Typed queries on the read models over the program's pool. */
export function readDatabase(pool: pg.Pool): ReadDatabase {
  return new Kysely<ReadTables>({ dialect: new PostgresDialect({ pool: preparing(pool) }) });
}
