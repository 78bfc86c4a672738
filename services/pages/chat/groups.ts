import { reactive } from 'vue';

/** Counts the changes of each group, so that a view that shows one loads it again. */
export const groupChanges = reactive(new Map<number, number>());

export function groupChanged(gid: number): void {
  groupChanges.set(gid, (groupChanges.get(gid) ?? 0) + 1);
}
