import { reactive } from 'vue';
import { home } from './home.ts';
import { isManager } from './members.ts';
import { session } from './session.ts';

/** Counts the changes of each group, so that a view that shows one loads it again. */
export const groupChanges = reactive(new Map<number, number>());

export function groupChanged(gid: number): void {
  groupChanges.set(gid, (groupChanges.get(gid) ?? 0) + 1);
}

/** The groups that the person owns or manages, of those whose chat was opened. */
export const rules = reactive(new Set<number>());

/** Learns whether the person owns or manages a group. @throws CallRefused; TypeError */
export async function loadRights(gid: number): Promise<void> {
  const me = session.value?.uid ?? 0;
  const may = home.groups.get(gid)?.uid === me || (await isManager(gid, me));
  if (may) rules.add(gid);
  else rules.delete(gid);
}
