import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import { findUnknown } from '../queries/people.ts';
import type { ReadDatabase } from '../queries/tables.ts';

/** @throws Refusal noUser, naming the first of these people who does not exist */
export async function mustExist(database: ReadDatabase, uids: readonly Uid[]): Promise<void> {
  const unknown = await findUnknown(database, uids);
  if (unknown !== undefined) throw new Refusal('noUser', `用户${unknown}不存在`);
}
