import { Uid } from '../../contracts/ids.ts';
import type { CurrentNames } from '../../services/audit/events/names.ts';
import type { Causes, Entry } from '../../services/audit/index/entry.ts';
import { safeParse } from '../../services/log/exact-form.ts';

/** The uid of the one who caused an event; undefined if it was no person. */
export function actingUid({ actor }: Pick<Causes, 'actor'>): Uid | undefined {
  return actor !== null && /^\d{1,15}$/.test(actor) ? safeParse(Uid, Number(actor)).data : undefined;
}

/** The nicknames, by uid, of the people whom an event is about and of the one who caused it. */
export async function nicknames(names: CurrentNames, entry: Entry): Promise<Record<string, string>> {
  const acting = actingUid(entry);
  const uids = new Set(acting === undefined ? entry.people : [...entry.people, acting]);
  const pairs = await Promise.all([...uids].map(async (uid) => [uid, await names.ofPerson(uid)] as const));
  return Object.fromEntries(pairs.flatMap(([uid, name]) => (name === null ? [] : [[uid, name]])));
}
