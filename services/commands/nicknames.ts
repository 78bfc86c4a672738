import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import { findNicknames } from '../queries/people.ts';
import type { ReadDatabase } from '../queries/tables.ts';

/** The nicknames of people who must all exist. @throws Refusal noUser, naming the first who does not */
export async function nicknamesOf(database: ReadDatabase, uids: readonly Uid[]): Promise<Map<Uid, string>> {
  const names = await findNicknames(database, uids);
  const unknown = uids.find((uid) => !names.has(uid));
  if (unknown !== undefined) throw new Refusal('noUser', `用户${unknown}不存在`);
  return names;
}
