import { escapeTexts } from '../../../contracts/escaped-texts.ts';
import { eventFrame } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import { completeSettings, isSettingChange } from '../../../contracts/push/setting.ts';
import { textFrame } from '../connections/frame.ts';

/** The frames of rows of the log for one channel. */
export interface RowFrames {
  /** The frame of each row. */
  readonly each: readonly Buffer[];
  /** All of them in one buffer. */
  readonly joined: Buffer;
}

export interface RowFrameOptions {
  readonly appkey: string;
  /** Whether texts that people wrote are escaped for HTML. */
  readonly escapes: boolean;
}

/**
 * Makes the frames of rows of the log (docs/realtime.md, "Events"): once for all sockets, except for `settingChange`,
 * which contains the address of the websocket that each client uses.
 */
export function framesOf(
  rows: readonly PushRow[],
  channel: string,
  { appkey, escapes }: RowFrameOptions,
): (socket: { readonly wsAddress: string }) => RowFrames {
  const make = (wsAddress: string): RowFrames => {
    const each = rows.map((row) => {
      const data = isSettingChange(row) ? completeSettings(row.data, appkey, wsAddress) : row.data;
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
  return ({ wsAddress }) => {
    const frames = byAddress.get(wsAddress) ?? make(wsAddress);
    byAddress.set(wsAddress, frames);
    return frames;
  };
}
