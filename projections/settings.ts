import type { SettingEvent } from '../contracts/events/setting.ts';
import { globalChannel } from '../contracts/push/index.ts';
import { defaultSettings, PublicSettings, Settings } from '../contracts/settings.ts';
import type { ProjectionsOf } from './projection.ts';
import { allSettings, settings } from './tables.ts';

/** The settings that rows of `read.settings` give: numbers stand there in digits, what is not set is the default. */
export function settingsOf(rows: Iterable<{ readonly name: string; readonly value: string }>): Settings {
  const set = new Map(Array.from(rows, ({ name, value }) => [name, value]));
  const values = Object.entries(defaultSettings).map(([name, standard]) => {
    const value = set.get(name);
    if (value === undefined) return [name, standard];
    return [name, typeof standard === 'number' ? Number(value) : value];
  });
  return Settings.parse(Object.fromEntries(values));
}

/** The system's switches. */
export const settingProjections: ProjectionsOf<SettingEvent> = {
  SettingsChanged: {
    reads: () => [allSettings()],
    apply({ data: { changes } }, rows, pushes) {
      for (const [name, value] of Object.entries(changes)) {
        if (value !== undefined) rows.put(settings, { name, value: String(value) });
      }
      const { ws_address, ...shown } = PublicSettings.parse(settingsOf(rows.list(allSettings())));
      pushes.add(globalChannel, 'settingChange', {
        id: '2',
        ...shown,
        ...(ws_address === '' ? {} : { ws_address }),
      });
    },
  },
};
