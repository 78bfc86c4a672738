import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Refusal, statusOf } from '../../../contracts/codes.ts';
import { isDeeperThan } from '../../../contracts/json-depth.ts';
import {
  asJson,
  ChannelName,
  EventName,
  maxFrameBytes,
  ServerToUserChannel,
  SocketId,
} from '../../../contracts/push/protocol.ts';
import type { App } from '../../app-keys/signature.ts';
import type { Bus } from '../../bus/bus.ts';
import { channelTopic, sessionsTopic } from '../../bus/topics.ts';
import { type RequestLimits, takeAddressTurn } from '../../edge/rate-limit.ts';
import type { SecurityLog } from '../../edge/security-log.ts';
import type { MemberStore } from '../presence/member-store.ts';
import type { Occupancy } from '../presence/occupancy.ts';
import { readChannel, topicOf } from '../subscriptions/channel-name.ts';
import type { LastEvents } from '../subscriptions/last-events.ts';
import { bodyFault, signatureFault } from './server-signature.ts';

export interface ServerOptions {
  readonly app: App;
  readonly bus: Bus;
  readonly occupancy: Occupancy;
  readonly memberStore: MemberStore;
  readonly lastEvents: LastEvents;
  readonly security: SecurityLog;
  readonly settings: () => RequestLimits;
}

const mostBytes = 2 * 1024 * 1024;
const Target = z.union([ChannelName, ServerToUserChannel]);
const Name = EventName.refine((name) => !name.startsWith('pusher'), 'a name that begins with pusher is ours');
const Data = z.string().refine((data) => Buffer.byteLength(data) <= maxFrameBytes, 'data is too long');
const rest = { name: Name, data: Data, socket_id: SocketId.nullish(), info: z.string().nullish() };
const Events = z.union([
  z.object({ ...rest, channels: z.array(Target).min(1).max(100) }),
  z
    .object({ ...rest, channel: Target })
    .transform(({ channel, ...event }) => ({ ...event, channels: [channel] })),
]);
type Events = z.infer<typeof Events>;
const Batch = z.object({
  batch: z
    .array(z.object({ ...rest, channel: Target }))
    .min(1)
    .max(100),
});
const Attributes = z.object({
  info: z.string().optional(),
  filter_by_prefix: z.string().max(200).optional(),
});

/** The most users that one answer tells, and tells where the request says nothing. */
const mostUsers = 10_000;

/** Which users of a channel: those whose id comes after `after`, so that the last id of a page begins the next. */
const UserPage = z.object({
  after: z.string().max(200).default(''),
  limit: z.coerce.number().int().min(1).max(mostUsers).default(mostUsers),
});

/** What is asked of a channel: how many users, how many subscriptions. */
interface Wanted {
  readonly users: boolean;
  readonly subscriptions: boolean;
}

/** Refused with this status. */
class Fault extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/**
 * The HTTP side of Pusher, for other backends (docs/realtime.md, "Pushing from other backends"): to be registered as a plugin of its own, since it
 * reads bodies as they came, to check their md5.
 */
export async function serverRoutes(server: FastifyInstance, options: ServerOptions): Promise<void> {
  const { app, bus, occupancy, memberStore, lastEvents, security, settings } = options;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: mostBytes }, (_request, body, done) =>
    done(null, body),
  );
  server.setErrorHandler((error, request, reply) => answerFault(error, request, reply));
  server.addHook('onRoute', (route) => {
    route.config = { ...route.config, counts: 'own' };
  });
  // Before the body is read: who holds the secret has no limit, and others do not get that far.
  server.addHook('onRequest', async (request) => {
    const { method, raw, ip, id, params } = request;
    const fault = signatureFault(app, { method, url: raw.url ?? '' }, Date.now());
    const unknown = z.object({ id: z.literal(app.id) }).safeParse(params).error;
    if (fault === undefined && unknown === undefined) return;
    takeAddressTurn(ip, settings());
    if (fault !== undefined) {
      security.attempt('a signature of the HTTP side was wrong', { address: ip, reqId: id }, { fault });
    }
    throw new Fault(401, fault ?? 'no application has this id');
  });
  server.addHook('preHandler', async ({ body, raw }) => {
    const fault = bodyFault(raw.url ?? '', Buffer.isBuffer(body) ? body : undefined);
    if (fault !== undefined) throw new Fault(401, fault);
  });

  server.post('/apps/:id/events', async (request) => {
    const events = read(Events, jsonOf(request));
    await trigger(events);
    return (await describeMany(events.channels, wantedOf(events.info))) ?? {};
  });
  server.post('/apps/:id/batch_events', async (request) => {
    const { batch } = read(Batch, jsonOf(request));
    for (const { channel, ...event } of batch) await trigger({ ...event, channels: [channel] });
    const wanted = batch.map(({ info }) => wantedOf(info));
    if (!wanted.some((one) => one.users || one.subscriptions)) return {};
    return {
      batch: await Promise.all(
        batch.map(({ channel }, index) =>
          describe(channel, wanted[index] ?? { users: false, subscriptions: false }),
        ),
      ),
    };
  });
  server.get('/apps/:id/channels', async (request) => {
    const { info, filter_by_prefix: prefix = '' } = read(Attributes, request.query);
    const wanted = wantedOf(info);
    if (wanted.users && !prefix.startsWith('presence-')) {
      throw new Fault(400, 'user_count is only known where filter_by_prefix begins with presence-');
    }
    const counts = await occupancy.count(prefix);
    const users = wanted.users ? await memberStore.count([...counts.keys()]) : new Map<string, number>();
    const channels = [...counts].map(([name, count]) => [
      name,
      {
        ...(wanted.users ? { user_count: users.get(name) ?? 0 } : {}),
        ...(wanted.subscriptions ? { subscription_count: count } : {}),
      },
    ]);
    return { channels: Object.fromEntries(channels) };
  });
  server.get('/apps/:id/channels/:channel', async (request) => {
    const wanted = wantedOf(read(Attributes, request.query).info);
    const channel = channelOf(request);
    if (wanted.users && !channel.startsWith('presence-')) {
      throw new Fault(400, 'user_count is only known of presence channels');
    }
    return describe(channel, wanted);
  });
  server.get('/apps/:id/channels/:channel/users', async (request) => {
    const channel = channelOf(request);
    if (!channel.startsWith('presence-')) throw new Fault(400, 'only presence channels know their users');
    const { after, limit } = read(UserPage, request.query);
    const ids = await memberStore.page(channel, after, limit);
    return { users: ids.map((id) => ({ id })) };
  });
  server.post('/apps/:id/users/:user/terminate_connections', async (request) => {
    const { user } = read(z.object({ user: z.string().min(1).max(200) }), request.params);
    bus.signal(sessionsTopic, { kind: 'connections ended', userId: user });
    return {};
  });

  /** Kept before it is told, so that no subscriber finds the event before it and then hears nothing. */
  async function trigger({ name, data, channels, socket_id }: Omit<Events, 'info'>): Promise<void> {
    const event = { event: name, data: asJson(data) };
    const versions = await lastEvents.keep(channels, event);
    for (const channel of new Set(channels)) {
      const known = readChannel(channel);
      const version = versions.get(channel);
      bus.signal(known === undefined ? channelTopic(channel) : topicOf(known), {
        ...{ kind: 'ephemeral', channel, ...event },
        ...(socket_id ? { exceptSocket: socket_id } : {}),
        ...(version === undefined ? {} : { version }),
      });
    }
  }

  async function describeMany(names: readonly string[], wanted: Wanted): Promise<object | undefined> {
    if (!wanted.users && !wanted.subscriptions) return undefined;
    const described = await Promise.all(
      names.map(async (name) => [name, await describe(name, wanted)] as const),
    );
    return { channels: Object.fromEntries(described) };
  }

  async function describe(name: string, wanted: Wanted): Promise<object> {
    const subscriptions = (await occupancy.count(name)).get(name) ?? 0;
    const users =
      wanted.users && name.startsWith('presence-')
        ? ((await memberStore.count([name])).get(name) ?? 0)
        : undefined;
    return {
      occupied: subscriptions > 0,
      ...(users === undefined ? {} : { user_count: users }),
      ...(wanted.subscriptions ? { subscription_count: subscriptions } : {}),
    };
  }
}

function wantedOf(info: string | null | undefined): Wanted {
  const names = (info ?? '').split(',').map((name) => name.trim());
  return { users: names.includes('user_count'), subscriptions: names.includes('subscription_count') };
}

function channelOf(request: FastifyRequest): string {
  return read(z.object({ channel: Target }), request.params).channel;
}

function jsonOf(request: FastifyRequest): unknown {
  try {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    if (isDeeperThan(text)) throw new Fault(400, 'the body is JSON of too many levels');
    return JSON.parse(text);
  } catch (error) {
    throw error instanceof Fault ? error : new Fault(400, 'the body is no JSON');
  }
}

function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Fault(400, z.prettifyError(result.error));
}

function statusOfError(error: unknown): number {
  if (error instanceof Refusal) return statusOf(error.reason);
  return error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
}

function answerFault(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const status = statusOfError(error);
  if (status >= 400 && status < 500) {
    const message = error instanceof Error ? error.message : '';
    reply.code(status).send({ error: message });
    return;
  }
  request.log.error({ err: error }, 'a call of the HTTP side failed');
  reply.code(500).send({ error: 'unexpected' });
}
