import { z } from 'zod';
import { PublicSettings } from '../settings.ts';
import { jsonObject } from './protocol.ts';
import type { PushRow } from './row.ts';

/** The settings as `pop/getsetting` shows them. `ws_address` is the recipient's, always with a port. */
export const SettingChangePush = z.object({
  id: z.literal('2'),
  ...PublicSettings.shape,
  appkey: z.string(),
  ws_address: z.string(),
});
export type SettingChangePush = z.infer<typeof SettingChangePush>;

/** The settings in the row of the push, the same for every recipient; `ws_address` only if the setting is set. */
export const StoredSettingChange = SettingChangePush.omit({ appkey: true }).partial({ ws_address: true });

/** Whether a row lacks what differs between recipients. */
export function isSettingChange({ event }: Pick<PushRow, 'event'>): boolean {
  return event === 'settingChange';
}

/**
 * The data of `settingChange` for one recipient.
 * @param data the row's, as JSON text
 * @param wsAddress the address of the websocket that the recipient uses, with its port; the setting goes before it
 */
export function completeSettings(data: string, appkey: string, wsAddress: string): string {
  return JSON.stringify({ ws_address: wsAddress, ...jsonObject(data), appkey });
}

const Escaping = z.object({ escape_html: PublicSettings.shape.escape_html.unwrap() });

/** Whether texts are escaped for HTML after this row; undefined if the row does not change that. */
export function escapesFrom(row: Pick<PushRow, 'event' | 'data'>): boolean | undefined {
  if (!isSettingChange(row)) return undefined;
  const { data } = Escaping.safeParse(jsonObject(row.data));
  return data && data.escape_html === 'on';
}
