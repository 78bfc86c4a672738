import { z } from 'zod';
import { gids, uids } from '../http/example-ids.ts';
import type { PlainCall } from '../http/plain-call.ts';
import { PusherError } from './auth-calls.ts';
import { ChannelName, EventName, maxFrameBytes, ServerToUserChannel, SocketId } from './protocol.ts';

/* Pusher's HTTP API for other backends (docs/realtime.md, Pushing from other backends). */

/** The largest page of the users on a presence channel, and its size if the request names none. */
const maxUsersPerPage = 10_000;
const maxChannelsPerEvent = 100;
const maxEventsPerBatch = 100;

/** A channel on which an event is triggered, or about which a request asks. */
export const Target = z.union([ChannelName, ServerToUserChannel]);
const Name = EventName.refine((name) => !name.startsWith('pusher'), 'a name that begins with pusher is ours');
const Data = z.string().refine((data) => Buffer.byteLength(data) <= maxFrameBytes, 'data is too long');
const rest = {
  name: Name,
  data: Data.describe('JSON文本,不超过100 KB'),
  socket_id: SocketId.describe('不发送给这个websocket').nullish(),
  info: z.string().describe('返回频道的哪些属性:user_count、subscription_count,逗号分隔').nullish(),
};
const EventForOne = z.object({ ...rest, channel: Target });

/** The body of `POST /apps/{id}/events`. */
export const Events = z.union([
  z.object({ ...rest, channels: z.array(Target).min(1).max(maxChannelsPerEvent) }),
  EventForOne.transform(({ channel, ...event }) => ({ ...event, channels: [channel] })),
]);
export type Events = z.infer<typeof Events>;

/** The body of `POST /apps/{id}/batch_events`. */
export const Batch = z.object({ batch: z.array(EventForOne).min(1).max(maxEventsPerBatch) });

const info = z
  .string()
  .describe('返回哪些属性:user_count(只用于presence频道)、subscription_count')
  .optional();

/** The query of a call about one channel. */
export const ChannelQuery = z.object({ info });

/** The query of the call about all channels. */
export const ChannelsQuery = z.object({
  info,
  filter_by_prefix: z.string().max(200).describe('只要名称以此开头的频道').optional(),
});

/** The query of the users on a channel: those whose id comes after `after`, the last id of the page before. */
export const UserPage = z.object({
  after: z.string().max(200).describe('上一页的最后一个id').default(''),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(maxUsersPerPage)
    .default(maxUsersPerPage)
    .meta({ shown: { type: 'integer', minimum: 1, maximum: maxUsersPerPage }, description: '最多多少个' }),
});

/** The path of a call about one user's connections. */
export const UserPath = z.object({ user: z.string().min(1).max(200).describe('用户id') });

const count = z.int().nonnegative();
const attributes = { user_count: count.optional(), subscription_count: count.optional() };
const ChannelState = z.object({ occupied: z.boolean(), ...attributes }).meta({ id: 'ChannelState' });
const none = z.object({});

const id = { id: z.string().describe('APP_ID') };
const ofApp = z.object(id);
const ofChannel = z.object({ ...id, channel: Target.describe('频道') });

/** The APP_ID of an installation that was given no other. */
const path = { id: 'bubble-im' };
const event = { name: 'order-paid', channel: `private-user-${uids.tom}`, data: '{"order":42}' };
const channel = `presence-group-${gids.cheese}`;

const refusals = {
  400: { meaning: '请求无法解析或不合法', data: PusherError },
  401: { meaning: '签名不正确', data: PusherError },
  413: { meaning: '请求内容过大', data: PusherError },
  429: { meaning: '请求过于频繁', data: PusherError },
} as const;

const answered = (meaning: string, data: z.ZodType) => ({ 200: { meaning, data }, ...refusals });

export const serverCalls: readonly PlainCall[] = [
  {
    url: '/apps/{id}/events',
    method: 'POST',
    access: 'signed',
    summary: '在频道上触发一个事件',
    path: ofApp,
    body: Events,
    example: { path, body: event },
    answers: answered(
      '已触发;带info时返回频道的属性',
      z.object({ channels: z.record(z.string(), ChannelState).optional() }),
    ),
  },
  {
    url: '/apps/{id}/batch_events',
    method: 'POST',
    access: 'signed',
    summary: `触发多个事件,最多${maxEventsPerBatch}个`,
    path: ofApp,
    body: Batch,
    example: { path, body: { batch: [event] } },
    answers: answered(
      '已触发;带info时返回各频道的属性',
      z.object({ batch: z.array(ChannelState).optional() }),
    ),
  },
  {
    url: '/apps/{id}/channels',
    method: 'GET',
    access: 'signed',
    summary: '列出有订阅的频道',
    path: ofApp,
    query: ChannelsQuery,
    example: { path },
    answers: answered('频道及其属性', z.object({ channels: z.record(z.string(), z.object(attributes)) })),
  },
  {
    url: '/apps/{id}/channels/{channel}',
    method: 'GET',
    access: 'signed',
    summary: '频道是否有订阅,及其属性',
    path: ofChannel,
    query: ChannelQuery,
    example: { path: { ...path, channel } },
    answers: answered('频道的状态', ChannelState),
  },
  {
    url: '/apps/{id}/channels/{channel}/users',
    method: 'GET',
    access: 'signed',
    summary: 'presence频道上的用户',
    path: ofChannel,
    query: UserPage,
    example: { path: { ...path, channel } },
    answers: answered('一页用户id', z.object({ users: z.array(z.object({ id: z.string() })) })),
  },
  {
    url: '/apps/{id}/users/{user}/terminate_connections',
    method: 'POST',
    access: 'signed',
    summary: '关闭一个用户的所有websocket',
    path: z.object({ ...id, ...UserPath.shape }),
    example: { path: { ...path, user: `${uids.jerry}` } },
    answers: answered('正在关闭', none),
  },
];
