import { z } from 'zod';
import type { Directory, Scope } from './scope.ts';

/** A directory as a schema's comment says it. */
const ShownDirectory = z.discriminatedUnion('of', [
  z.object({ of: z.literal('everybody') }),
  z.object({ of: z.literal('every group') }),
  z.object({ of: z.literal('groups'), gids: z.array(z.int()), owners: z.array(z.int()) }),
]);

/** What the read models in a schema show, as the schema's comment says it. */
const Shown = z.object({
  /** The name of the moment. */
  moment: z.string(),
  /** The epoch of the log: another log may have other events at the same moment. */
  epoch: z.string(),
  /** Of what made them: another version may have other tables. */
  version: z.string().optional(),
  /** Who is shown with all that they see; left out: everybody. */
  people: z.array(z.int()).optional(),
  /** Of whom the profile alone is shown. */
  profiles: z.array(z.int()).default([]),
  /** Which lists of people and groups are shown; left out: none, or all if everybody is. */
  directory: ShownDirectory.optional(),
  /** When they were made, in milliseconds since 1970. */
  made: z.int().optional(),
});
export type Shown = z.infer<typeof Shown>;

/** Reads a schema's comment; undefined if it does not say what the schema shows, as when it was written by hand. */
export function shownBy(comment: string): Shown | undefined {
  try {
    return Shown.safeParse(JSON.parse(comment)).data;
  } catch {
    return undefined;
  }
}

/** Read models that are asked for. */
export interface AskedSchema {
  readonly moment: string;
  readonly epoch: string;
  /** Gives the version of what makes read models. */
  readonly version: () => Promise<string>;
  readonly scope: Scope;
  /** Whether they must be made of the log alone. */
  readonly fromLog: boolean;
}

/** Read models that were kept. */
export interface KeptSchema extends Shown {
  readonly schema: string;
  /** What they take on the disk. */
  readonly bytes: number;
}

/** What read models show that were made: all that the log has, or a scope, perhaps a larger one than was asked for. */
export type Filled = Scope | 'everything';

/** What is noted of read models that were made. */
export function shownOf(filled: Filled): Pick<Shown, 'people' | 'profiles' | 'directory'> {
  if (filled === 'everything') return { profiles: [] };
  if (filled.of === 'people') return { people: [...filled.people], profiles: [...filled.profiles] };
  const directory =
    filled.of === 'groups'
      ? { of: filled.of, gids: [...filled.gids], owners: [...filled.owners] }
      : { of: filled.of };
  return { people: [], profiles: [], directory };
}

/** Whether what was kept of the asked moment answers what is asked. */
export function shows({ people, profiles, directory }: Shown, { scope, fromLog }: AskedSchema): boolean {
  // Those of everybody were made of the whole log.
  if (people === undefined) return true;
  if (scope.of !== 'people') return directory !== undefined && lists(directory, scope, fromLog);
  // Others were made with the index and the present read models.
  if (fromLog) return false;
  const everyProfile = directory !== undefined && directory.of !== 'groups';
  return (
    scope.people.every((uid) => people.includes(uid)) &&
    (everyProfile || scope.profiles.every((uid) => people.includes(uid) || profiles.includes(uid)))
  );
}

function lists(shown: z.infer<typeof ShownDirectory>, asked: Directory, fromLog: boolean): boolean {
  if (shown.of === 'every group') return true;
  if (shown.of === 'everybody' || asked.of !== 'groups') return shown.of === asked.of;
  // The index found the groups of owners; those of a gid are of the log alone.
  if (fromLog && asked.owners.length > 0) return false;
  return (
    asked.gids.every((gid) => shown.gids.includes(gid)) &&
    asked.owners.every((uid) => shown.owners.includes(uid))
  );
}
