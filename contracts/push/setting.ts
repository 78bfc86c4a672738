import { z } from 'zod';
import { PublicSettings } from '../settings.ts';

/**
 * The settings as getsetting shows them, but for `appkey`, which whoever hears this knows; `ws_address`
 * only where one is set, for otherwise it depends on the request.
 */
export const SettingChangePush = z.object({
  id: z.literal('2'),
  ...PublicSettings.partial({ ws_address: true }).shape,
});
export type SettingChangePush = z.infer<typeof SettingChangePush>;
