import type { GroupEvent } from '../contracts/events/group.ts';
import type { Uid } from '../contracts/ids.ts';
import type { Decoded } from '../services/log/codec.ts';
import type { Rows } from './store/row-store.ts';
import type { Ref } from './store/table.ts';
import { users } from './tables.ts';

/*
 * What the notices of a group say, and the name of a group that nobody named. Events name people by their uids: the
 * sentences are written here, with the nicknames of the moment at which the event is projected. A later nickname
 * changes none of them.
 */

/** An event that adds a notice to the conversation of its group. */
export type WithNotice = Decoded<Extract<GroupEvent, { data: { noticeMid: number } }>>;
type Created = Decoded<Extract<GroupEvent, { type: 'GroupCreated' }>>;

/** How many names a notice spells out before it only counts the rest. */
const maxNames = 10;

/** How many names the default name of a group has, and how many bytes: as many as a chosen one. */
const maxDefaultNames = 9;
const maxDefaultBytes = 255;

/** The people whose nicknames `noticeText` and `groupName` look up. */
export function namedReads(event: WithNotice | Created): Ref[] {
  return peopleOf(event).map((uid) => users.at(uid));
}

function peopleOf({ type, data }: WithNotice | Created): Uid[] {
  switch (type) {
    case 'GroupCreated':
      return data.members.slice(0, maxNames + 1);
    case 'MembersAdded':
      return [data.by, ...data.members.slice(0, maxNames)];
    case 'MemberJoined':
      return [data.uid];
    case 'MemberMuted':
    case 'MemberUnmuted':
      return [data.by, data.uid];
    case 'GroupMuted':
    case 'GroupUnmuted':
      return [data.by];
  }
}

/** What the event's notice says; as version 1 recorded it, if it did. */
export function noticeText(event: WithNotice | Created, rows: Rows): string {
  if ('noticeText' in event.data && event.data.noticeText !== undefined) return event.data.noticeText;
  const named = (uid: Uid) => nickname(rows, uid);
  const listed = (uids: readonly Uid[]) =>
    uids.slice(0, maxNames).map(named).join('、') + (uids.length > maxNames ? `等${uids.length}人` : '');
  switch (event.type) {
    case 'GroupCreated': {
      const { owner, members } = event.data;
      return `${named(owner)}创建了群聊,邀请了${listed(members.slice(1))}`;
    }
    case 'MembersAdded':
      return `${named(event.data.by)}邀请${listed(event.data.members)}加入了群聊`;
    case 'MemberJoined':
      return `${named(event.data.uid)}加入了群聊`;
    case 'MemberMuted':
      return `${named(event.data.uid)}被${named(event.data.by)}禁言`;
    case 'MemberUnmuted':
      return `${named(event.data.uid)}被${named(event.data.by)}解除禁言`;
    case 'GroupMuted':
      return `${named(event.data.by)}开启了全体禁言`;
    case 'GroupUnmuted':
      return `${named(event.data.by)}解除了全体禁言`;
  }
}

/** The name of a new group: the one chosen, else 「群聊(甲,乙,丙)」 of up to nine nicknames, cut at 255 bytes. */
export function groupName({ data: { name, members } }: Created, rows: Rows): string {
  if (name !== null) return name;
  const nicknames = members.slice(0, maxDefaultNames).map((uid) => nickname(rows, uid));
  return `${cut(`群聊(${nicknames.join(',')}`, maxDefaultBytes - 1)})`;
}

/** As many whole characters of a text as fit into a number of bytes. */
function cut(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let fitting = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    fitting += character;
  }
  return fitting;
}

function nickname(rows: Rows, uid: Uid): string {
  return rows.get(users.at(uid))?.nickname ?? String(uid);
}
