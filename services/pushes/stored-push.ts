import { groupAvatar, userAvatar } from '../../contracts/avatars.ts';
import { isRevoked, type MessageState, quotedContent } from '../../contracts/message-texts.ts';
import { groupChannel, userChannel } from '../../contracts/push/index.ts';
import { messagePush, type PushedMessage, type PushedParty } from '../../contracts/push/message.ts';
import { formatPosition } from '../../contracts/push/position.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import { conversationPattern } from './feed-sources.ts';

/*
 * A row of pushes.push has its whole data, or it names a message: then `channel` is the conversation, `mid` the message,
 * and one row is for the channels of both people, or for that of the group. What clients get of such a row is made of
 * the read models when it is read, so a message that was revoked or deleted is shown as it is now, with the names of now.
 */

/** The message that a row names, with what its push shows beside it. */
export interface NamedMessage extends PushedMessage {
  readonly sender: number;
  readonly state: MessageState;
  readonly quote_state: MessageState | null;
  readonly quote_content: string | null;
  readonly sender_name: string | null;
  readonly sender_avatar: string | null;
  /** Between two people: the addressee, and what the person on whose channel it is calls the other one. */
  readonly addressee: number | null;
  readonly addressee_name: string | null;
  readonly addressee_avatar: string | null;
  readonly remark: string | null;
  readonly gid: number | null;
  readonly group_name: string | null;
  readonly group_avatar: string | null;
  readonly faces: readonly number[] | null;
}

/** A row of `pushes.push` as `storedColumns` reads it. */
export interface StoredPush extends PushRow {
  /** The column `channel`; `channel` itself is the channel that is read. */
  readonly source: string;
  readonly named: NamedMessage | null;
}

/** SQL: the column `named` of `StoredPush`, joined by `namedMessage`. */
export const namedColumn = `
  case when m.mid is not null then json_build_object(
    'mid', m.mid, 'sender', m.sender, 'content', m.content, 'timestamp', m.timestamp, 'sub_type', m.sub_type,
    'state', m.state, 'quote_mid', m.quote_mid, 'unique_id', m.unique_id,
    'quote_state', q.state, 'quote_content', q.content,
    'sender_name', sender.nickname, 'sender_avatar', sender.avatar,
    'addressee', party.addressee, 'addressee_name', addressee.nickname, 'addressee_avatar', addressee.avatar,
    'remark', known.remark,
    'gid', party.gid, 'group_name', g.name, 'group_avatar', g.avatar, 'faces', g.faces
  ) end as named`;

/**
 * SQL: the columns of `StoredPush`, from a table `p` of place, number, source, channel, event, data, mid and `viewer`, the
 * person whose channel is read (null for the sender), joined by `namedMessage`.
 */
export const storedColumns = `p.place, p.number, p.source, p.channel, p.event, p.data, ${namedColumn}`;

/** SQL: joins the message that a row `p` names. Each join finds one row by a key. */
export const namedMessage = `
  left join read.messages m on m.mid = p.mid and m.conversation = p.source
  left join lateral (
    select case when m.conversation < 'g' then split_part(substr(m.conversation, 2), '-', 1)::bigint
                  + split_part(m.conversation, '-', 2)::bigint - m.sender end as addressee,
           case when m.conversation >= 'g' then substr(m.conversation, 2)::bigint end as gid
  ) party on true
  left join read.messages q on q.mid = m.quote_mid and q.conversation = m.conversation
  left join read.users sender on sender.uid = m.sender
  left join read.users addressee on addressee.uid = party.addressee
  left join read.friendships known
    on known.uid = coalesce(p.viewer, m.sender)
   and known.friend = case when p.viewer = party.addressee then m.sender else party.addressee end
  left join read.groups g on g.gid = party.gid`;

/** What a message's push has beside the content, in bytes, with short names and without a quote. */
const bytesBesideContent = 360;

/** SQL: about how many bytes of data a row `p` has. */
export const storedBytes = `
  case when p.source !~ '${conversationPattern}' then octet_length(p.data)
       else ${bytesBesideContent} + coalesce((select octet_length(m.content) from read.messages m where m.mid = p.mid), 0) end`;

const conversation = new RegExp(conversationPattern);

/** Whether a row names a message. */
export function namesMessage({ source }: Pick<StoredPush, 'source'>): boolean {
  return conversation.test(source);
}

/**
 * What clients get of a row; undefined if nothing: its message was deleted for all.
 * @param epoch that of the checkpoint
 */
export function shownPush(
  { place, number, source, channel, event, data, named }: StoredPush,
  epoch: string,
): PushRow | undefined {
  if (source === channel) return { place, number, channel, event, data };
  if (named === null || named.state === 'deleted') return undefined;
  const position = formatPosition({ epoch, place, number });
  return {
    place,
    number,
    channel,
    event,
    data: JSON.stringify({ ...messageData(named, channel), position }),
  };
}

/** The channel of a conversation on which its sender gets a message. */
export function sendersChannel({ sender, gid }: NamedMessage): string {
  return gid === null ? userChannel(sender) : groupChannel(gid);
}

function messageData(named: NamedMessage, channel: string) {
  const { sender, addressee, remark, gid } = named;
  const own = channel === userChannel(sender);
  const from: PushedParty = {
    id: sender,
    name: (!own && remark) || (named.sender_name ?? ''),
    avatar: userAvatar(named.sender_avatar ?? ''),
  };
  const message = shownMessage(named);
  const quote = named.quote_state ? quotedContent(named.quote_state, named.quote_content ?? '') : '';
  if (gid !== null) {
    const avatar = groupAvatar(named.group_avatar, named.faces ?? []);
    return messagePush('group', from, { id: gid, name: named.group_name ?? '', avatar }, message, quote);
  }
  const to: PushedParty = {
    id: addressee ?? 0,
    name: (own && remark) || (named.addressee_name ?? ''),
    avatar: userAvatar(named.addressee_avatar ?? ''),
  };
  return messagePush('friend', from, to, message, quote);
}

/** A message as it is now: of one that was revoked, a notice in its place. */
function shownMessage(named: NamedMessage): PushedMessage {
  const { state } = named;
  if (!isRevoked(state)) return named;
  return { ...named, content: quotedContent(state, ''), sub_type: 'notice', quote_mid: null };
}
