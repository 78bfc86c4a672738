import type { DomainEvent, EventNamed } from '../../contracts/events/index.ts';
import {
  ApplicationId,
  type ConversationId,
  friendConversation,
  Gid,
  groupConversation,
  Mid,
  NumberId,
  Uid,
} from '../../contracts/ids.ts';

/* Events in few words. */

export const uid = (id: number): Uid => Uid.parse(id);
export const gid = (id: number): Gid => Gid.parse(id);
export const mid = (id: number): Mid => Mid.parse(id);
export const applicationId = (id: number): ApplicationId => ApplicationId.parse(id);

export const between = (one: number, other: number): ConversationId =>
  friendConversation(uid(one), uid(other));
export const inGroup = (id: number): ConversationId => groupConversation(gid(id));

export function registered(id: number, nickname: string, avatar = ''): DomainEvent {
  const data = { uid: uid(id), username: `user${id}`, nickname, avatar, sign: '', phone: null };
  return {
    type: 'UserRegistered',
    data: { ...data, numberId: NumberId.parse(7_000_000 + id), parent: null },
  };
}

export function befriended(by: number, friend: number): DomainEvent {
  return { type: 'Befriended', data: { by: uid(by), friend: uid(friend) } };
}

export function created(
  id: number,
  name: string,
  ...members: readonly [number, ...number[]]
): EventNamed<'GroupCreated'> {
  const uids = members.map(uid);
  return {
    type: 'GroupCreated',
    data: { gid: gid(id), owner: uid(members[0]), members: uids, name, avatar: null, noticeMid: null },
  };
}

type Sent = Extract<DomainEvent, { type: 'MessageSent' }>['data'];

export function sent(
  conversation: ConversationId,
  from: number,
  message: number,
  content: string,
  more: Partial<Sent> = {},
): DomainEvent {
  return {
    type: 'MessageSent',
    data: { conversation, from: uid(from), mid: mid(message), content, ...more },
  };
}

export function revoked(
  conversation: ConversationId,
  by: number,
  message: number,
  sequence: number,
): DomainEvent {
  return { type: 'MessageRevoked', data: { conversation, by: uid(by), mid: mid(message), sequence } };
}

export function readTo(
  reader: number,
  conversation: ConversationId,
  message: number,
  sequence: number,
): DomainEvent {
  return { type: 'ReadTo', data: { uid: uid(reader), conversation, mid: mid(message), sequence } };
}
