import { type RawBuilder, sql } from 'kysely';
import { userAvatar } from '../../contracts/avatars.ts';
import type { Message } from '../../contracts/http/message.ts';
import { type ConversationId, conversationParties, type Mid, type Uid } from '../../contracts/ids.ts';
import { type MessageState, quotedContent, revokedText } from '../../contracts/message-texts.ts';
import type { StoredMessage } from '../domain/chat.ts';
import type { StandingMessage } from '../domain/conversation.ts';
import { readsGroupAfter, visibilityOf } from '../domain/reading.ts';
import { type EventId, type Position, startOfLog } from '../log/log.ts';
import type { ReadDatabase } from './tables.ts';

/** From where on a person reads a conversation, and how far they have read. */
export interface Reading {
  /** What lies after this sequence is theirs to read. */
  readonly from: number;
  /** Read up to this sequence; what they may not read counts as read. */
  readonly to: number;
  /** So many are shown as unread at least. */
  readonly marked: number;
}

/**
 * From where `uid` reads: between two the beginning, in a group their latest joining.
 * Undefined where they are no member, or the group is no more.
 */
export async function findReading(
  database: ReadDatabase,
  uid: Uid,
  conversation: ConversationId,
): Promise<Reading | undefined> {
  const parties = conversationParties(conversation);
  const inbox = database
    .selectFrom('read.inbox')
    .select(['read_sequence', 'marked_unread'])
    .where('uid', '=', uid)
    .where('conversation', '=', conversation);
  if (parties.type === 'friend') {
    const row = await inbox.executeTakeFirst();
    return { from: 0, to: row?.read_sequence ?? 0, marked: row?.marked_unread ?? 0 };
  }
  const row = await database
    .selectFrom('read.groups as g')
    .leftJoin('read.group_members as m', (join) => join.onRef('m.gid', '=', 'g.gid').on('m.uid', '=', uid))
    .leftJoin('read.inbox as i', (join) =>
      join.onRef('i.uid', '=', 'm.uid').on('i.conversation', '=', conversation),
    )
    .select(['g.state', 'm.joined_sequence as joinedSequence', 'i.read_sequence', 'i.marked_unread'])
    .where('g.gid', '=', parties.gid)
    .executeTakeFirst();
  const from = readsGroupAfter(row);
  if (from === undefined || !row) return undefined;
  return { from, to: Math.max(from, row.read_sequence ?? 0), marked: row.marked_unread ?? 0 };
}

/** A message of a page, with its place. */
export interface PagedMessage {
  readonly sequence: number;
  readonly message: Message;
}

/** Which messages of a conversation a page holds: the newest `limit` that lie in between, oldest first. */
export interface Page {
  readonly reader: Uid;
  readonly conversation: ConversationId;
  readonly after: number;
  readonly before: number | null;
  readonly limit: number;
}

/**
 * A page of history as `message/get` shows it; what is deleted for all or for the reader is left out,
 * and of a quote what they may not read themselves.
 */
export async function readPage(database: ReadDatabase, page: Page): Promise<PagedMessage[]> {
  const { reader, conversation, after, before, limit } = page;
  // The end of a page is always a condition of the index: `$1 is null or …` would look through all after it.
  const group = conversationParties(conversation).type === 'group';
  const { rows } = await sql<{
    sequence: number;
    mid: Mid;
    sender: Uid;
    avatar: string | null;
    name: string | null;
    timestamp: number;
    content: string;
    sub_type: 'message' | 'notice';
    state: 'normal' | 'revoked';
    quote_mid: Mid | null;
    quote_state: MessageState | null;
    quote_content: string | null;
  }>`
    select m.sequence, m.mid, m.sender, u.avatar, coalesce(nullif(f.remark, ''), u.nickname) as name,
           m.timestamp, m.content, m.sub_type, m.state, m.quote_mid,
           q.state as quote_state, q.content as quote_content
      from (
        select m.sequence, m.mid, m.sender, m.timestamp, m.content, m.sub_type, m.state, m.quote_mid
          from read.messages m
         where m.conversation = ${conversation} and m.sequence > ${after}
           and m.sequence < ${before ?? Number.MAX_SAFE_INTEGER}
           and m.state <> 'deleted'
           and not ${deletedFor(reader, sql`m.conversation`, sql`m.sequence`)}
         order by m.sequence desc limit ${limit}
      ) m
      left join read.users u on u.uid = m.sender
      left join read.friendships f on f.uid = ${reader} and f.friend = m.sender
      left join read.messages q on q.mid = m.quote_mid and q.sequence > ${after}
     order by m.sequence`.execute(database);
  return rows.map(({ sequence, sender, name, ...row }) => ({
    sequence,
    message: {
      mid: row.mid,
      from: String(sender),
      avatar: userAvatar(row.avatar ?? ''),
      ...(group ? { name: name ?? '' } : {}),
      timestamp: row.timestamp,
      ...shown(row),
      quote_mid: row.quote_mid ?? 0,
      quote_content: row.quote_state ? quotedContent(row.quote_state, row.quote_content ?? '') : '',
    },
  }));
}

/** Whether a person has deleted any message for themselves: most have none, and need no look at each. */
export function deletesAny(uid: Uid) {
  return sql<boolean>`exists (select from read.message_deletions d where d.uid = ${uid})`;
}

/** Whether a person has deleted a message for themselves; the others are of the surrounding query. */
export function deletedFor(uid: Uid, conversation: RawBuilder<unknown>, sequence: RawBuilder<unknown>) {
  return sql<boolean>`(${deletesAny(uid)} and exists (
    select from read.message_deletions d
     where d.uid = ${uid} and d.conversation = ${conversation} and d.sequence = ${sequence}))`;
}

/** What a reader is shown of a message: a revoked one is a notice that says so. */
export function shown(row: {
  readonly content: string;
  readonly sub_type: 'message' | 'notice';
  readonly state: MessageState;
}): { content: string; sub_type: 'message' | 'notice' } {
  return row.state === 'revoked'
    ? { content: revokedText, sub_type: 'notice' }
    : { content: row.content, sub_type: row.sub_type };
}

/** A message of a conversation, whatever has become of it; undefined where it never was there. */
export async function findMessage(
  database: ReadDatabase,
  conversation: ConversationId,
  mid: Mid,
): Promise<StandingMessage | undefined> {
  const row = await database
    .selectFrom('read.messages')
    .select(['mid', 'sequence', 'sender', 'timestamp', 'sub_type', 'state'])
    .where('mid', '=', mid)
    .where('conversation', '=', conversation)
    .executeTakeFirst();
  if (!row) return undefined;
  const { sub_type, ...message } = row;
  return { ...message, notice: sub_type === 'notice' };
}

/** Whether `mid` stands in the conversation where `reader` can read it. */
export async function isReadable(
  database: ReadDatabase,
  conversation: ConversationId,
  reader: Uid,
  mid: Mid,
): Promise<boolean> {
  const reading = await findReading(database, reader, conversation);
  const row = await database
    .selectFrom('read.messages as m')
    .leftJoin('read.message_deletions as d', (join) =>
      join
        .onRef('d.conversation', '=', 'm.conversation')
        .onRef('d.sequence', '=', 'm.sequence')
        .on('d.uid', '=', reader),
    )
    .select(['m.sequence', 'm.state', 'd.uid as deleter'])
    .where('m.mid', '=', mid)
    .where('m.conversation', '=', conversation)
    .executeTakeFirst();
  return row !== undefined && visibilityOf(row, reading?.from, row.deleter !== null) === 'visible';
}

/** The last message of a conversation up to a time (seconds since 1970), or of all. */
export async function lastMessage(
  database: ReadDatabase,
  conversation: ConversationId,
  until?: number,
): Promise<{ mid: Mid; sequence: number } | undefined> {
  const messages = database
    .selectFrom('read.messages')
    .select(['mid', 'sequence'])
    .where('conversation', '=', conversation)
    .orderBy('sequence', 'desc')
    .limit(1);
  if (until === undefined) return messages.executeTakeFirst();
  // Time may stand still or go back by a little between two processes: the log's order decides.
  return database
    .selectFrom('read.messages')
    .select(['mid', 'sequence'])
    .where('conversation', '=', conversation)
    .where('timestamp', '<=', until)
    .orderBy('timestamp', 'desc')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/**
 * The message that stands under an event id, if it was sent with a uniqueId, and up to where the
 * read models reached when it was looked for.
 */
export async function findByEventId(
  database: ReadDatabase,
  id: EventId,
): Promise<{ readonly checkpoint: Position; readonly message: StoredMessage | undefined }> {
  const row = await database
    .selectFrom('followers.checkpoint')
    .leftJoin('read.messages', (join) =>
      join.on('read.messages.event_id', '=', id).on('read.messages.unique_id', 'is not', null),
    )
    .select(['position', 'mid', 'content_hash'])
    .where('followers.checkpoint.name', '=', 'read')
    .executeTakeFirstOrThrow();
  const { position, mid, content_hash: hash } = row;
  const message = mid === null ? undefined : { mid, contentHash: hash ?? undefined, position: startOfLog };
  // The projector wrote it from a position of the log.
  return { checkpoint: position as Position, message };
}

/** Whether the read models show a message of a person in a conversation; notices do not count. */
export async function hasSpoken(
  database: ReadDatabase,
  conversation: ConversationId,
  sender: Uid,
): Promise<boolean> {
  const row = await database
    .selectFrom('read.messages')
    .select('mid')
    .where('conversation', '=', conversation)
    .where('sender', '=', sender)
    .where('sub_type', '=', 'message')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Where a message of any conversation came from: its conversation, and the event that left it there. */
export async function findMessageOrigin(
  database: ReadDatabase,
  mid: Mid,
): Promise<{ conversation: ConversationId; eventId: EventId } | undefined> {
  const row = await database
    .selectFrom('read.messages')
    .select(['conversation', 'event_id'])
    .where('mid', '=', mid)
    .executeTakeFirst();
  // The projector wrote it from an event of the log.
  return row && { conversation: row.conversation, eventId: row.event_id as EventId };
}
