import { hash } from 'node:crypto';
import { Refusal } from '../../contracts/codes.ts';
import type { AnnouncementEvent } from '../../contracts/events/announcement.ts';
import { AnnouncementId } from '../../contracts/ids.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

/** Announcements in an hour: each is a push to everyone online. */
export const maxAnHour = 20;

const hourSeconds = 3_600;

/** uniqueIds that are remembered: at the greatest rate, those of two days. */
const maxRemembered = 1_000;

/** All announcements, as far as deciding needs them. Changed in place by `evolve`. */
export interface AnnouncementState {
  /** The id of the last one; 0: there is none. */
  readonly last: number;
  readonly revoked: Set<AnnouncementId>;
  /** By uniqueId, the oldest first. */
  readonly sent: Map<string, { readonly id: AnnouncementId; readonly contentHash: string }>;
  /** When the last ones were sent, in seconds since 1970, the oldest first. */
  readonly times: readonly number[];
}

export const announcement: Aggregate<AnnouncementState, AnnouncementEvent> = {
  version: 1,
  initial: () => ({ last: 0, revoked: new Set(), sent: new Map(), times: [] }),
  evolve: (state, { type, data }, time) => {
    if (type === 'AnnouncementRevoked') {
      state.revoked.add(data.id);
      return state;
    }
    const { id, content, uniqueId } = data;
    if (uniqueId !== undefined) state.sent.set(uniqueId, { id, contentHash: hashOf(content) });
    if (state.sent.size > maxRemembered) {
      for (const oldest of state.sent.keys().take(1)) state.sent.delete(oldest);
    }
    return { ...state, last: id, times: [...state.times, time].slice(-maxAnHour) };
  },
  weight: ({ revoked, sent }) => 1 + (revoked.size + sent.size) / 20,
};

/** The stream `announcement`: there is one. */
export const announcementStream: AggregateStream<AnnouncementState, AnnouncementEvent> = {
  aggregate: announcement,
  name: streamName('announcement'),
};

function hashOf(content: string): string {
  return hash('sha256', content);
}

/** Something that is to be announced to everyone. */
export interface Announcement {
  readonly content: string;
  readonly uniqueId?: string | undefined;
}

/**
 * The id under which something was announced with this uniqueId; undefined if it was not.
 * @throws Refusal illegal if the uniqueId is another announcement's
 */
export function announcedAs(
  { sent }: AnnouncementState,
  { content, uniqueId }: Announcement,
): AnnouncementId | undefined {
  const known = uniqueId === undefined ? undefined : sent.get(uniqueId);
  if (known !== undefined && known.contentHash !== hashOf(content)) {
    throw new Refusal('illegal', '参数uniqueId已用于另一条公告');
  }
  return known?.id;
}

/**
 * Announces something to everyone, at `now` (whole seconds since 1970). Announced already: nothing.
 * @throws Refusal illegal, tooOften
 */
export function announce(
  state: AnnouncementState,
  { content, uniqueId, now }: Announcement & { readonly now: number },
): AnnouncementEvent[] {
  if (announcedAs(state, { content, uniqueId }) !== undefined) return [];
  const [oldest] = state.times.slice(-maxAnHour);
  if (state.times.length >= maxAnHour && oldest !== undefined && oldest > now - hourSeconds) {
    const minutes = Math.ceil((oldest + hourSeconds - now) / 60);
    throw new Refusal('tooOften', `公告过于频繁,请在${minutes}分钟后再试`);
  }
  const id = AnnouncementId.parse(state.last + 1);
  return [{ type: 'AnnouncementSent', data: { id, content, ...(uniqueId !== undefined && { uniqueId }) } }];
}

/** Revokes an announcement. Revoked already: nothing. @throws Refusal noRecord */
export function revokeAnnouncement(
  state: AnnouncementState,
  { id }: { readonly id: AnnouncementId },
): AnnouncementEvent[] {
  mustBeAnnounced(state, id);
  return state.revoked.has(id) ? [] : [{ type: 'AnnouncementRevoked', data: { id } }];
}

/** @throws Refusal noRecord if there never was an announcement of this id */
export function mustBeAnnounced({ last }: AnnouncementState, id: AnnouncementId): void {
  if (id > last) throw new Refusal('noRecord', '公告不存在');
}
