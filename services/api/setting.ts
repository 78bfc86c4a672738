import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { settingGet, settingUpdate } from '../../contracts/http/setting.ts';
import { SettingChanges, withDefaults } from '../../contracts/settings.ts';
import { changeSettings, currentSettings } from '../commands/setting.ts';
import type { Application } from './application.ts';
import { serve, shownAt } from './route.ts';

/** The system's settings: changing them, and showing all of them. */
export function settingRoutes(server: FastifyInstance, application: Application): void {
  serve(server, application, settingUpdate, async ({ parameters, context }) => {
    const changes = SettingChanges.parse(parameters);
    if (Object.keys(changes).length === 0) throw new Refusal('missing', '缺少要修改的配置项');
    return shownAt(await changeSettings(application, changes, context));
  });

  serve(server, application, settingGet, async () => ({
    data: withDefaults(await currentSettings(application.store)),
  }));
}
