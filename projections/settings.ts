import type { SettingEvent } from '../contracts/events/setting.ts';
import { globalChannel } from '../contracts/push/index.ts';
import { PublicSettings, settingsOf } from '../contracts/settings.ts';
import { withPort } from '../contracts/websocket-address.ts';
import type { ProjectionsOf } from './projection.ts';
import { allSettings, settings } from './tables.ts';

/** The system's settings. */
export const settingProjections: ProjectionsOf<SettingEvent> = {
  SettingsChanged: {
    reads: () => [allSettings()],
    apply({ data: { changes } }, rows, pushes) {
      for (const [name, value] of Object.entries(changes)) {
        rows.put(settings, { name, value: String(value) });
      }
      const { ws_address, ...shown } = PublicSettings.parse(settingsOf(rows.list(allSettings())));
      pushes.add(globalChannel, 'settingChange', {
        id: '2',
        ...shown,
        ...(ws_address === '' ? {} : { ws_address: withPort(ws_address) }),
      });
    },
  },
};
