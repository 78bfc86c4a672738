import { sql } from 'kysely';
import type { ConversationId, Mid, Uid } from '../../contracts/ids.ts';
import type { ConversationMessage } from '../domain/conversation.ts';
import { visibilityOf } from '../domain/reading.ts';
import { type EventId, type Position, startOfLog } from '../log/log.ts';
import { findReading } from './reading.ts';
import type { ReadDatabase } from './tables.ts';

/** A message that is stored under an event id. */
export interface StoredMessage {
  readonly mid: Mid;
  readonly content: string;
  /** Of what came in, before words were starred out; undefined in a message without a uniqueId. */
  readonly contentHash: string | undefined;
  readonly position: Position;
}

/** A message of a conversation, also if it was revoked or deleted; undefined if it was never there. */
export async function findMessage(
  database: ReadDatabase,
  conversation: ConversationId,
  mid: Mid,
): Promise<ConversationMessage | undefined> {
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

/** Whether `mid` is in the conversation and `reader` may read it. */
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

/** A message by its place in the conversation. */
interface Placed {
  readonly mid: Mid;
  readonly sequence: number;
}

/** The last message of a conversation up to a time (seconds since 1970), or of all. */
export async function lastMessage(
  database: ReadDatabase,
  conversation: ConversationId,
  until?: number,
): Promise<Placed | undefined> {
  if (until !== undefined) return lastMessageUntil(database, conversation, until);
  return database
    .selectFrom('read.messages')
    .select(['mid', 'sequence'])
    .where('conversation', '=', conversation)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/**
 * Bisects the sequences, which have no gaps. Between two processes the time may go back a little: it finds a message up
 * to the time that is followed by a later one, or by none.
 */
async function lastMessageUntil(
  database: ReadDatabase,
  conversation: ConversationId,
  until: number,
): Promise<Placed | undefined> {
  const { rows } = await sql<Placed>`
    with recursive range (first, last) as (
      select 0::bigint, sequence + 1 from read.conversations where conversation = ${conversation}
      union all
      select case when m.timestamp <= ${until} then m.sequence else b.first end,
             case when m.timestamp <= ${until} then b.last else m.sequence end
        from range b
        join read.messages m on m.conversation = ${conversation} and m.sequence = (b.first + b.last) / 2
       where b.last - b.first > 1
    )
    select m.mid, m.sequence
      from range b join read.messages m on m.conversation = ${conversation} and m.sequence = b.first
     where b.last - b.first = 1`.execute(database);
  return rows[0];
}

/** The message of an event id, if it was sent with a uniqueId, and the checkpoint of the same snapshot. */
export async function findByEventId(
  database: ReadDatabase,
  id: EventId,
): Promise<{ readonly checkpoint: Position; readonly message: StoredMessage | undefined }> {
  const row = await database
    .selectFrom('followers.checkpoint')
    .leftJoin('read.messages', (join) =>
      join.on('read.messages.event_id', '=', id).on('read.messages.unique_id', 'is not', null),
    )
    .select(['position', 'mid', 'content', 'content_hash'])
    .where('followers.checkpoint.name', '=', 'read')
    .executeTakeFirstOrThrow();
  const { position, mid, content, content_hash: hash } = row;
  const message =
    mid === null || content === null
      ? undefined
      : { mid, content, contentHash: hash ?? undefined, position: startOfLog };
  // The projector wrote it from a position of the log.
  return { checkpoint: position as Position, message };
}

/** Whether a person has sent a message to another one, in their conversation; notices do not count. */
export async function hasSpoken(
  database: ReadDatabase,
  conversation: ConversationId,
  sender: Uid,
): Promise<boolean> {
  const row = await database
    .selectFrom('read.inbox')
    .select('own')
    .where('uid', '=', sender)
    .where('conversation', '=', conversation)
    .executeTakeFirst();
  return row !== undefined && row.own > 0;
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
