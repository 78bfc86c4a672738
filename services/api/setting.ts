import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { settingUpdate } from '../../contracts/http/setting.ts';
import { SettingChanges } from '../../contracts/settings.ts';
import { execute } from '../commands/execute.ts';
import { changeSettings, settingStream } from '../domain/setting.ts';
import type { Application } from './application.ts';
import { serve, shownAt } from './route.ts';

/** Changing the system's switches (event-sourced, effective at once). */
export function settingRoutes(server: FastifyInstance, application: Application): void {
  serve(server, application, settingUpdate, async ({ parameters, context }) => {
    const changes = SettingChanges.parse(parameters);
    if (Object.keys(changes).length === 0) throw new Refusal('missing', '缺少要修改的配置项');
    const { position } = await execute(application, settingStream, context, (state) =>
      changeSettings(state, changes),
    );
    return shownAt(position);
  });
}
