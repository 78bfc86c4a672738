import { watch } from 'vue';
import { loadAnnouncements } from './announcements.ts';
import { loadApplications } from './applications.ts';
import { loadDrafts } from './drafts.ts';
import { home, loadHome } from './home.ts';
import { countInTitle } from './notify.ts';
import { restoreOutbox, retryAll } from './outbox.ts';
import { loadReadMarks } from './read-marks.ts';
import { connect, follow, unfollow } from './realtime.ts';
import { api, endSession, session } from './session.ts';
import { expectEscaped } from './written.ts';

/**
 * Loads what the person has, and follows the changes. The position is asked for first: what happens while the rest is
 * loaded comes as a push, too, and is recognised by its mid. If it fails it has begun nothing, and may be called again.
 * @throws CallRefused; TypeError if the server cannot be reached
 */
export async function start(): Promise<void> {
  const settings = await api.call('/pop/getsetting', {});
  expectEscaped(settings.escape_html === 'on');
  const { position } = await api.call('/message/sync', { limit: 1 });
  await Promise.all([loadHome(), loadApplications(), loadAnnouncements()]);

  watch(
    () => home.settings?.escape_html,
    (value) => expectEscaped(value === 'on'),
    { flush: 'sync' },
  );
  loadReadMarks();
  loadDrafts();
  countInTitle();
  let first = true;
  connect(settings, {
    connected() {
      // Who is online, and which announcements were seen elsewhere, is not replayed.
      if (!first) Promise.all([loadHome(), loadAnnouncements()]).catch(() => undefined);
      first = false;
      retryAll();
    },
    ended: endSession,
  });
  follow('global', position);
  follow('private-announcements', position);
  follow(`private-user-${session.value?.uid}`, position);
  followGroups(position);
  restoreOutbox();
}

/** Follows the groups that the person is in, also those that they come into later. */
function followGroups(position: string): void {
  const followed = new Set<number>();
  watch(
    () => [...home.groups.keys()],
    (gids) => {
      for (const gid of gids) if (!followed.has(gid)) follow(`private-group-${gid}`, position);
      for (const gid of followed) if (!home.groups.has(gid)) unfollow(`private-group-${gid}`);
      followed.clear();
      for (const gid of gids) followed.add(gid);
    },
    { immediate: true },
  );
}
