import { reactive } from 'vue';
import type { Data } from '../shared/calls.ts';
import { home, reloadSoon } from './home.ts';
import { api } from './session.ts';

export type Application = Data<'/friend/applylist'>[number];

/** The applications that the person received, newest first. */
export const applications = reactive<{ list: Application[] }>({ list: [] });

export async function loadApplications(): Promise<void> {
  applications.list = await api.call('/friend/applylist', {});
}

/** A new application came: it is listed, and the count beside the contacts grows. */
export function addApplications(): void {
  reloadSoon();
  loadApplications().catch(() => undefined);
}

/** The text that its sender wrote, and the group of an invitation. */
export function detailsOf({ data }: Application): { postscript?: string; gid?: number; groupname?: string } {
  return JSON.parse(data);
}

/** @throws CallRefused */
export async function answer({ nid }: Application, agree: boolean): Promise<void> {
  await api.call(agree ? '/friend/agree' : '/friend/refuse', { nid });
  await loadApplications();
  if (home.mine)
    home.mine.unread_friend_apply_count = applications.list.filter(
      ({ operation }) => operation === 'not_operated',
    ).length;
  reloadSoon();
}
