import { crc32 } from 'node:zlib';
import type { SettingEvent } from '../../contracts/events/setting.ts';
import {
  defaultSettings,
  type SettingChanges,
  type Settings,
  withRecorded,
} from '../../contracts/settings.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

export const setting: Aggregate<Settings, SettingEvent> = {
  /** The defaults are part of every state: a snapshot of before a new setting would lack it. */
  version: crc32(JSON.stringify(defaultSettings)) >>> 1,
  initial: () => defaultSettings,
  evolve: (state, event) => withRecorded(state, event.data.changes),
  weight: () => 1,
};

/** The stream `setting`: there is one. */
export const settingStream: AggregateStream<Settings, SettingEvent> = {
  aggregate: setting,
  name: streamName('setting'),
};

/** Changes settings; no event if none of them differs. */
export function changeSettings(state: Settings, changes: SettingChanges): SettingEvent[] {
  const before: Readonly<Record<string, unknown>> = state;
  const real = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined || before[name] === value ? [] : [[name, value] as const],
  );
  return real.length === 0 ? [] : [{ type: 'SettingsChanged', data: { changes: Object.fromEntries(real) } }];
}
