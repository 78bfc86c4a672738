import { defaultSettings, type SettingChanges, type Settings } from '../../contracts/settings.ts';
import { changeSettings as decide, settingStream } from '../domain/setting.ts';
import type { Position } from '../log/log.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';
import type { CommandParts } from './parts.ts';

/** The system's settings as of now. @throws LogFailure; Refusal notReady because of an event that cannot be read */
export async function currentSettings(store: Pick<AggregateStore, 'load'>): Promise<Settings> {
  return (await store.load(settingStream)).state;
}

/** The settings that are in memory, for what cannot wait for the log; the defaults until the first are loaded. */
export function cachedSettings(store: Pick<AggregateStore, 'peek'>): Settings {
  return store.peek(settingStream) ?? defaultSettings;
}

/** Changes settings, which hold in every process at once. @returns the position that shows it */
export async function changeSettings(
  parts: Pick<CommandParts, 'log' | 'store'>,
  changes: SettingChanges,
  context: CommandContext,
): Promise<Position> {
  const { position } = await execute(parts, settingStream, context, (state) => decide(state, changes));
  return position;
}
