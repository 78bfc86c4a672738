import { z } from 'zod';
import { storable } from '../http/parameters.ts';
import { isDeeperThan } from '../json-depth.ts';

/** The Pusher Channels protocol, version 7, as the gateway speaks it: names, codes and frames. */

/** The longest frame that a client may send, in bytes. */
export const maxFrameBytes = 100 * 1024;

/** The longest data of a client event, in bytes: every member of a group may be sent it. */
export const maxClientEventBytes = 10 * 1024;

/** A socket's id. What is signed is a joined string, so nothing else may stand in for one. */
export const SocketId = z.string().regex(/^\d{1,20}\.\d{1,20}$/);

/** A channel's name. */
export const ChannelName = z.string().regex(/^[A-Za-z0-9_=@,.;-]{1,200}$/);

/**
 * Where pusher-js listens for what is sent to a signed-in user. It is no name that anything signs;
 * only the gateway's own signed-in sockets and the HTTP side use it.
 */
export const ServerToUserChannel = z.string().regex(/^#server-to-user-[A-Za-z0-9_=@,.;-]{1,180}$/);

/** An event's name. */
export const EventName = z.string().min(1).max(200);

/** Error and close codes (docs/realtime.md, "Codes"). */
export const pushCodes = {
  unknownKey: 4001,
  tooManyConnections: 4004,
  tokenEnded: 4009,
  overCapacity: 4100,
  restarting: 4200,
  noPong: 4201,
  /** A frame that cannot be read or is not known; the connection stays. */
  unreadable: 4300,
  clientEventRefused: 4301,
} as const;
export type PushCode = (typeof pushCodes)[keyof typeof pushCodes];

/** Any frame of a client. */
export const ClientFrame = z.object({
  event: EventName,
  channel: z.unknown().optional(),
  data: z.unknown().optional(),
});
export type ClientFrame = z.infer<typeof ClientFrame>;

/** The data of `pusher:subscribe`. */
export const Subscribe = z.object({
  channel: z.string(),
  auth: z.string().nullish(),
  channel_data: z.unknown().optional(),
  /** The last position that the client has seen on this channel. */
  since: z.unknown().optional(),
});
export type Subscribe = z.infer<typeof Subscribe>;

/** The data of `pusher:unsubscribe`. */
export const Unsubscribe = z.object({ channel: z.string() });

/** The data of `pusher:signin`. */
export const Signin = z.object({ auth: z.string(), user_data: z.string() });

/** Whom a signature names: a text that a database keeps as it is, or a number. */
const UserId = z.union([storable.min(1).max(200), z.number()]).transform(String);

/** What is known of who hears, from signed `channel_data`. */
export const ChannelData = z.looseObject({
  user_id: UserId.optional(),
  user_info: z.unknown().optional(),
  /** The hash of the token that it was signed for, so that the socket ends with the token. */
  session: z.string().optional(),
  /** The last position that the client has seen, for clients that can name it to the auth endpoint alone. */
  since: z.string().optional(),
});
export type ChannelData = z.infer<typeof ChannelData>;

/** What is known of who signed in, from signed `user_data`. */
export const UserData = z.looseObject({
  id: UserId,
  session: z.string().optional(),
});
export type UserData = z.infer<typeof UserData>;

/** Reads JSON that a client wrote; undefined if it is none, or has more levels than a caller may send. */
export function readJson(text: string): unknown {
  if (isDeeperThan(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a text as a JSON object; undefined where it is none. */
export function jsonObject(text: unknown): Record<string, unknown> | undefined {
  const value = typeof text === 'string' ? readJson(text) : undefined;
  return isObject(value) ? value : undefined;
}

/** The data of an event as JSON text: a text that is JSON already stays as it is. */
export function asJson(data: unknown): string {
  if (typeof data !== 'string') return JSON.stringify(data ?? null);
  return readJson(data) === undefined ? JSON.stringify(data) : data;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A frame of an event; `data` is JSON as text. Who caused it stands in `user_id`, where it is told. */
export function eventFrame(
  event: string,
  channel: string | undefined,
  data: string,
  userId?: string,
): string {
  const where = channel === undefined ? '' : `,"channel":${JSON.stringify(channel)}`;
  const who = userId === undefined ? '' : `,"user_id":${JSON.stringify(userId)}`;
  return `{"event":${JSON.stringify(event)}${where},"data":${JSON.stringify(data)}${who}}`;
}

/** A frame of `pusher:error`, whose data is an object. */
export function errorFrame(code: PushCode, message: string): string {
  return JSON.stringify({ event: 'pusher:error', data: { code, message } });
}

/** The frame that answers `pusher:ping`. */
export const pongFrame = '{"event":"pusher:pong","data":{}}';

/** The frame that asks a silent client whether it is there; webman's client reads its data as a text. */
export const pingFrame = eventFrame('pusher:ping', undefined, '{}');
