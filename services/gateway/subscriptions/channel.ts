import { Gid, otherOf, Uid } from '../../../contracts/ids.ts';
import { announcementChannel } from '../../../contracts/push/index.ts';
import { ChannelName } from '../../../contracts/push/protocol.ts';
import { channelTopic } from '../../bus/topics.ts';
import type { InChat } from './chat-rights.ts';

/**
 * A channel, as its name says who may subscribe. `feed` is the plain name under which `pushes.push` and the bus have
 * the log's pushes for it, if there are any.
 */
export type Channel =
  | { readonly kind: 'user'; readonly name: string; readonly feed: string; readonly uid: Uid }
  | { readonly kind: 'group'; readonly name: string; readonly feed: string; readonly gid: Gid }
  | { readonly kind: 'group presence'; readonly name: string; readonly gid: Gid }
  | { readonly kind: 'chat' | 'chat presence'; readonly name: string; readonly uids: readonly [Uid, Uid] }
  | { readonly kind: 'global' | 'announcements'; readonly name: string; readonly feed: string }
  | { readonly kind: 'audit'; readonly name: string }
  | { readonly kind: 'public' | 'private' | 'presence'; readonly name: string };

const ours = /^(private-|presence-)?(user|group)-([1-9]\d{0,15})$/;
const ofTwo = /^(private|presence)-chat-(\d+)-(\d+)$/;

/** Reads a channel's name; undefined if no channel can have it. */
export function readChannel(name: string): Channel | undefined {
  if (!ChannelName.safeParse(name).success) return undefined;
  if (name === 'global') return { kind: 'global', name, feed: name };
  if (name === announcementChannel || name === `private-${announcementChannel}`) {
    return { kind: 'announcements', name, feed: announcementChannel };
  }
  if (name === 'private-audit') return { kind: 'audit', name };
  const [, prefix, subject, digits] = ours.exec(name) ?? [];
  if (subject === 'user' && prefix !== 'presence-') {
    const uid = Uid.safeParse(Number(digits));
    return uid.success ? { kind: 'user', name, feed: `user-${digits}`, uid: uid.data } : undefined;
  }
  if (subject === 'group') {
    const gid = Gid.safeParse(Number(digits));
    if (!gid.success) return undefined;
    if (prefix === 'presence-') return { kind: 'group presence', name, gid: gid.data };
    return { kind: 'group', name, feed: `group-${digits}`, gid: gid.data };
  }
  const [, access, lower, higher] = ofTwo.exec(name) ?? [];
  if (access !== undefined) return chatChannel(name, access, `${lower}`, `${higher}`);
  if (name.startsWith('private-')) return { kind: 'private', name };
  if (name.startsWith('presence-')) return { kind: 'presence', name };
  return { kind: 'public', name };
}

function chatChannel(name: string, access: string, lower: string, higher: string): Channel | undefined {
  const uids = [uidOf(lower), uidOf(higher)] as const;
  const [one, other] = uids;
  if (one === undefined || other === undefined || one >= other) return undefined;
  return { kind: access === 'private' ? 'chat' : 'chat presence', name, uids: [one, other] };
}

/** The uid that a user's id names; undefined if it is another backend's id. Leading zeros are not accepted. */
export function uidOf(userId: string | undefined): Uid | undefined {
  if (userId === undefined || !/^[1-9]\d{0,15}$/.test(userId)) return undefined;
  return Uid.safeParse(Number(userId)).data;
}

/** The chat of a channel from one person's side; undefined if the channel has none, or if it is the chat of others. */
export function chatOf(channel: Channel, uid: Uid): InChat | undefined {
  if ('gid' in channel) return { uid, gid: channel.gid };
  if (!('uids' in channel) || !channel.uids.includes(uid)) return undefined;
  return { uid, other: otherOf(channel.uids, uid) };
}

/** The feed of a person's own channel. */
export function userFeed(uid: Uid): string {
  return `user-${uid}`;
}

/** The channels whose subscribers get the pushes of a feed. */
export function namesOfFeed(feed: string): readonly string[] {
  return feed === 'global' ? [feed] : [feed, `private-${feed}`];
}

/** The bus topic of the channel's signals: one for both channels of a feed. */
export function topicOf(channel: Channel): string {
  return channelTopic('feed' in channel ? channel.feed : channel.name);
}

/** Whether subscribers may send client events to the channel. */
export function acceptsClientEvents(name: string): boolean {
  return name.startsWith('private-') || name.startsWith('presence-');
}

/** Whether the channel shows its subscribers. */
export function isPresence(channel: Channel): boolean {
  return channel.name.startsWith('presence-');
}
