import { createHmac, timingSafeEqual } from 'node:crypto';

/** The pair that signs the push. */
export interface App {
  readonly id: string;
  readonly key: string;
  readonly secret: string;
}

/** HMAC-SHA256 of the text under the app's secret, in hexadecimal. */
export function sign(app: App, text: string): string {
  return createHmac('sha256', app.secret).update(text).digest('hex');
}

/** Whether `signature` is the text's, compared in constant time. */
export function verify(app: App, text: string, signature: string): boolean {
  const expected = Buffer.from(sign(app, text));
  const given = Buffer.from(signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

/** The text that is signed for a subscription (docs/realtime.md, "Signing"). */
export function channelText(socketId: string, channel: string, channelData: string | undefined): string {
  return channelData === undefined ? `${socketId}:${channel}` : `${socketId}:${channel}:${channelData}`;
}

/** The text that is signed for a sign-in. */
export function userText(socketId: string, userData: string): string {
  return `${socketId}::user::${userData}`;
}

/** `key:signature` of the text, as clients send it back. */
export function authOf(app: App, text: string): string {
  return `${app.key}:${sign(app, text)}`;
}

/** Whether `auth` is `key:signature` of the text under this app. */
export function verifyAuth(app: App, text: string, auth: string): boolean {
  const prefix = `${app.key}:`;
  return auth.startsWith(prefix) && verify(app, text, auth.slice(prefix.length));
}
