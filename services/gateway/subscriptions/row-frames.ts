import { escapeTexts } from '../../../contracts/escaped-texts.ts';
import { eventFrame } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import { completeSettings, isSettingChange } from '../../../contracts/push/setting.ts';
import { textFrame } from '../connections/frame.ts';

/** Rows of the log as frames for one channel name. */
export interface RowFrames {
  /** The frame of each row. */
  readonly each: readonly Buffer[];
  /** All of them in one buffer. */
  readonly joined: Buffer;
}

/** Whose rows are shown, and how. */
export interface Showing {
  readonly appkey: string;
  /** Whether what people wrote is escaped for HTML. */
  readonly escapes: boolean;
}

/**
 * Makes the frames of rows of the log (docs/realtime.md, "Events"); nothing else does. They are made once for all sockets, but for
 * `settingChange`, which names the address at which each socket reached us.
 */
export function framesOf(
  rows: readonly PushRow[],
  channel: string,
  { appkey, escapes }: Showing,
): (socket: { readonly reachedAt: string }) => RowFrames {
  const make = (reachedAt: string): RowFrames => {
    const each = rows.map((row) => {
      const data = isSettingChange(row) ? completeSettings(row.data, appkey, reachedAt) : row.data;
      return textFrame(eventFrame(row.event, channel, escapes ? JSON.stringify(escapeTexts(data)) : data));
    });
    const [only] = each;
    return { each, joined: each.length === 1 && only !== undefined ? only : Buffer.concat(each) };
  };
  if (!rows.some(isSettingChange)) {
    const forAll = make('');
    return () => forAll;
  }
  const byAddress = new Map<string, RowFrames>();
  return ({ reachedAt }) => {
    const known = byAddress.get(reachedAt) ?? make(reachedAt);
    byAddress.set(reachedAt, known);
    return known;
  };
}
