import { reactive } from 'vue';
import type { Data } from '../shared/calls.ts';
import { api } from './session.ts';

type Announcement = Data<'/announcement/list'>['announcements'][number];

interface State {
  /** The newest first. */
  list: Announcement[];
  /** Whether the list has the oldest one. */
  complete: boolean;
  /** The id up to which the person has seen them, and how many newer ones there are. */
  seen: number;
  unread: number;
  /** One that came while the page was open, until the person has seen it or closed it. */
  arrived: Announcement | undefined;
}

/** What those who run the system announced to everyone. */
export const announcements = reactive<State>({
  ...{ list: [], complete: false, seen: 0, unread: 0, arrived: undefined },
});

const pageSize = 20;

/** Those that were revoked while the page was open: an answer that was on its way may still have them. */
const revoked = new Set<number>();
const isThere = ({ id }: Announcement) => !revoked.has(id);

/** Loads the newest ones, and keeps what was pushed meanwhile. @throws CallRefused; TypeError */
export async function loadAnnouncements(): Promise<void> {
  const answer = await api.call('/announcement/list', { limit: pageSize });
  const newest = answer.announcements[0]?.id ?? 0;
  const later = announcements.list.filter(({ id }) => id > newest);
  const seen = Math.max(announcements.seen, answer.seen ?? 0);
  Object.assign(announcements, {
    list: [...later, ...answer.announcements.filter(isThere)],
    complete: answer.announcements.length < pageSize,
    seen,
    unread: newest > seen ? (answer.unread ?? 0) + later.length : later.filter(({ id }) => id > seen).length,
  });
}

/** Loads the page before the oldest one. @throws CallRefused; TypeError */
export async function loadOlderAnnouncements(): Promise<void> {
  const before = announcements.list.at(-1)?.id;
  const page = await api.call('/announcement/list', { limit: pageSize, before });
  announcements.list.push(...page.announcements.filter(isThere));
  announcements.complete = page.announcements.length < pageSize;
}

/** Adds one that was pushed. @returns whether it was not there before */
export function addAnnouncement({ id, content, timestamp }: Announcement): boolean {
  const { list, seen } = announcements;
  if (revoked.has(id) || list.some((known) => known.id === id)) return false;
  list.unshift({ id, content, timestamp });
  list.sort((one, other) => other.id - one.id);
  if (id <= seen) return false;
  announcements.unread++;
  announcements.arrived = list[0];
  return true;
}

export function dropAnnouncement(id: number): void {
  revoked.add(id);
  const { list, arrived, seen } = announcements;
  const known = list.some((announcement) => announcement.id === id);
  announcements.list = list.filter(isThere);
  if (arrived?.id === id) announcements.arrived = undefined;
  if (known && id > seen) announcements.unread = Math.max(0, announcements.unread - 1);
}

/** The person has seen the list, if the page is not hidden. */
export function seeAnnouncements(): void {
  const newest = announcements.list[0]?.id;
  if (newest === undefined || document.hidden) return;
  announcements.arrived = undefined;
  if (newest <= announcements.seen) return;
  Object.assign(announcements, { seen: newest, unread: 0 });
  api.call('/announcement/seen', { id: newest }).catch(() => undefined);
}
