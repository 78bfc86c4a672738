import { z } from 'zod';
import { storable } from '../http/parameters.ts';
import { exceedsJsonLimits, isDeeperThan } from '../json-limits.ts';

// The Pusher Channels protocol, version 7, as the gateway speaks it: names, codes and frames.

/** The longest frame that a client may send, in bytes. */
export const maxFrameBytes = 100 * 1024;

/**
 * Fragments of a frame that a client may send. Clients that send fragments make them of 4 KB or more; an empty one
 * costs the time of a frame, and is counted nowhere.
 */
export const maxFrameFragments = 32;

/** The longest data of a client event, in bytes: it may be sent to every member of a group. */
export const maxClientEventBytes = 10 * 1024;

/** A socket's id. Signed texts join it with other values by `:`, so its form is checked before it is signed. */
export const SocketId = z.string().regex(/^\d{1,20}\.\d{1,20}$/);

/** A channel's name. */
export const ChannelName = z.string().regex(/^[A-Za-z0-9_=@,.;-]{1,200}$/);

/**
 * The channel on which pusher-js listens for events to its signed-in user. It is never signed: the gateway lets
 * signed-in sockets subscribe to their own, and the HTTP API of Pusher triggers events on it.
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
  /** A frame that cannot be read or has an unknown event; the connection stays open. */
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

/** The user that a signature names: a text that Postgres can store (no NUL), or a number. */
const UserId = z.union([storable.min(1).max(200), z.number()]).transform(String);

/** The signed `channel_data` of a subscription: who subscribes. */
export const ChannelData = z.looseObject({
  user_id: UserId.optional(),
  user_info: z.unknown().optional(),
  /** The hash of the token for which it was signed: when the token ends, the socket is closed. */
  session: z.string().optional(),
  /** The last position that the client has seen, for clients that can name it only to the auth endpoint. */
  since: z.string().optional(),
});
export type ChannelData = z.infer<typeof ChannelData>;

/** The signed `user_data` of a sign-in. */
export const UserData = z.looseObject({
  id: UserId,
  session: z.string().optional(),
});
export type UserData = z.infer<typeof UserData>;

/** Reads JSON; undefined if it is not JSON, or has more levels than a caller may send. */
export function readJson(text: string): unknown {
  return isDeeperThan(text) ? undefined : parsed(text);
}

/** Reads JSON that a client sent; undefined also if it has more parts than a caller may send. */
export function readSentJson(text: string): unknown {
  return exceedsJsonLimits(text) ? undefined : parsed(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a text as a JSON object; undefined if it is not one. A push may have thousands of names. */
export function jsonObject(text: unknown): Record<string, unknown> | undefined {
  return objectIn(text, readJson);
}

/** Reads a text that a client sent as a JSON object; undefined as for `readSentJson`. */
export function sentObject(text: unknown): Record<string, unknown> | undefined {
  return objectIn(text, readSentJson);
}

function objectIn(text: unknown, read: (text: string) => unknown): Record<string, unknown> | undefined {
  const value = typeof text === 'string' ? read(text) : undefined;
  return isObject(value) ? value : undefined;
}

/** The data of an event as JSON text; a text that is JSON already is not encoded again. */
export function asJson(data: unknown): string {
  if (typeof data !== 'string') return JSON.stringify(data ?? null);
  return readJson(data) === undefined ? JSON.stringify(data) : data;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The frame of an event. @param data JSON as text @param userId who caused it, if the recipients may know */
export function eventFrame(
  event: string,
  channel: string | undefined,
  data: string,
  userId?: string,
): string {
  const channelField = channel === undefined ? '' : `,"channel":${JSON.stringify(channel)}`;
  const userField = userId === undefined ? '' : `,"user_id":${JSON.stringify(userId)}`;
  return `{"event":${JSON.stringify(event)}${channelField},"data":${JSON.stringify(data)}${userField}}`;
}

/** The frame of `pusher:error`, whose data is an object, not a text. */
export function errorFrame(code: PushCode, message: string): string {
  return JSON.stringify({ event: 'pusher:error', data: { code, message } });
}

/** The frame that answers `pusher:ping`. */
export const pongFrame = '{"event":"pusher:pong","data":{}}';

/** The frame sent to a silent client; webman's client needs its data as a text. */
export const pingFrame = eventFrame('pusher:ping', undefined, '{}');
