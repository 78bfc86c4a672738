import { z } from 'zod';
import { PublicSettings } from '../settings.ts';
import { jsonObject } from './protocol.ts';
import type { PushRow } from './row.ts';

/** The settings as getsetting shows them. `ws_address` is the one in effect for the hearer, always with a port. */
export const SettingChangePush = z.object({
  id: z.literal('2'),
  ...PublicSettings.shape,
  appkey: z.string(),
  ws_address: z.string(),
});
export type SettingChangePush = z.infer<typeof SettingChangePush>;

/** What the log's row says of them: the same for every hearer; `ws_address` only if one is set. */
export const StoredSettingChange = SettingChangePush.omit({ appkey: true }).partial({ ws_address: true });

/** Whether a row lacks what differs between hearers. */
export function isSettingChange({ event }: Pick<PushRow, 'event'>): boolean {
  return event === 'settingChange';
}

/**
 * The data of `settingChange` for one hearer.
 * @param data the row's, as JSON text
 * @param reachedAt the websocket's address as the hearer reached us, with its port
 */
export function completeSettings(data: string, appkey: string, reachedAt: string): string {
  return JSON.stringify({ ws_address: reachedAt, ...jsonObject(data), appkey });
}

const Escaping = z.object({ escape_html: PublicSettings.shape.escape_html.unwrap() });

/** Whether texts are escaped for HTML from a row on; undefined if it does not say so. */
export function escapesFrom(row: Pick<PushRow, 'event' | 'data'>): boolean | undefined {
  if (!isSettingChange(row)) return undefined;
  const { data } = Escaping.safeParse(jsonObject(row.data));
  return data && data.escape_html === 'on';
}
