import type { SystemStatus } from '../history.ts';

/** How far a rebuild is. */
export type RebuildState =
  | { readonly phase: 'making' | 'indexing' | 'interrupted'; readonly share: number }
  | { readonly phase: 'comparing' };

/** How far a backup is. */
export interface BackupState {
  /** Of its connection. */
  readonly name: string;
  readonly events: number;
  readonly uploads: number;
  /** In milliseconds since 1970. */
  readonly since: number;
}

/** The names of the connections that show what is under way (docs/operations.md, The console). */
const rebuilds = {
  making: 'bubble-im rebuild',
  comparing: 'bubble-im rebuild comparison',
  indexing: 'bubble-im rebuild index',
} as const;
const backup = /^bubble-im backup(?:: (\d+) events, (\d+) uploads)?$/;

/** The rebuild that is under way, or was interrupted; undefined if there is none. */
export function rebuildOf({ connections, followers, log }: SystemStatus): RebuildState | undefined {
  const runs = (phase: keyof typeof rebuilds) => connections.some(({ name }) => name === rebuilds[phase]);
  const shareOf = (follower: string) => {
    const behind = followers.find(({ name }) => name === follower)?.behind ?? log.extent;
    return log.extent > 0 ? Math.max(0, 1 - behind / log.extent) : 0;
  };
  if (runs('indexing')) return { phase: 'indexing', share: shareOf('audit') };
  // Its follower has a version until what it made is served; then the two are compared.
  const begun = followers.some(({ name, version }) => name === 'read-next' && version !== null);
  if (begun && !runs('making')) return { phase: 'interrupted', share: shareOf('read-next') };
  if (!begun && runs('comparing')) return { phase: 'comparing' };
  return begun || runs('making') ? { phase: 'making', share: shareOf('read-next') } : undefined;
}

export function isRebuilding(status: SystemStatus): boolean {
  const state = rebuildOf(status);
  return state !== undefined && state.phase !== 'interrupted';
}

/** The backups that are under way. */
export function backupsOf({ connections }: SystemStatus): BackupState[] {
  return connections.flatMap(({ name, since }) => {
    const found = backup.exec(name);
    return found ? [{ name, events: Number(found[1] ?? 0), uploads: Number(found[2] ?? 0), since }] : [];
  });
}

/** When something ended that an earlier sample shows under way, in milliseconds since 1970; undefined if none does. */
export function endOf(
  samples: readonly SystemStatus[],
  isUnderWay: (status: SystemStatus) => boolean,
): number | undefined {
  const last = samples.at(-1);
  return last === undefined || isUnderWay(last) ? undefined : samples.findLast(isUnderWay)?.time;
}
