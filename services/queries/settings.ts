import { type Settings, settingsOf } from '../../contracts/settings.ts';
import type { ReadDatabase } from './tables.ts';

/** The settings of the read models. */
export async function readSettings(database: ReadDatabase): Promise<Settings> {
  return settingsOf(await database.selectFrom('read.settings').select(['name', 'value']).execute());
}
