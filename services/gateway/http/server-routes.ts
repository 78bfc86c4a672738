import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { asJson } from '../../../contracts/push/protocol.ts';
import {
  Batch,
  ChannelQuery,
  ChannelsQuery,
  Events,
  UserPage,
  UserPath,
} from '../../../contracts/push/server-calls.ts';
import type { App } from '../../app-keys/signature.ts';
import type { Bus } from '../../bus/bus.ts';
import { channelTopic, sessionsTopic } from '../../bus/topics.ts';
import { countAddressRequest, type RequestLimits } from '../../edge/rate-limit.ts';
import type { SecurityLog } from '../../edge/security-log.ts';
import type { Occupancy } from '../presence/occupancy.ts';
import type { PresenceChannelStore } from '../presence/presence-channel-store.ts';
import { readChannel, topicOf } from '../subscriptions/channel.ts';
import type { LastEvents } from '../subscriptions/last-events.ts';
import { ChannelDescriptions } from './channel-descriptions.ts';
import {
  answerError,
  attributesOf,
  channelOf,
  jsonBody,
  maxBodyBytes,
  RequestFault,
  read,
} from './server-requests.ts';
import { bodyFault, signatureFault } from './server-signature.ts';

export interface ServerOptions {
  readonly app: App;
  readonly bus: Bus;
  readonly occupancy: Occupancy;
  readonly presenceChannelStore: PresenceChannelStore;
  readonly lastEvents: LastEvents;
  readonly security: SecurityLog;
  readonly settings: () => RequestLimits;
}

/**
 * Pusher's HTTP API for other backends (docs/realtime.md, "Pushing from other backends"). It is registered as a plugin
 * of its own, since it reads bodies as raw bytes, to check their md5.
 */
export async function serverRoutes(server: FastifyInstance, options: ServerOptions): Promise<void> {
  const { bus, occupancy, presenceChannelStore } = options;
  const descriptions = new ChannelDescriptions(occupancy, presenceChannelStore);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, (_request, body, done) =>
    done(null, body),
  );
  server.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  checkSignatures(server, options);

  server.post('/apps/:id/events', async (request) => {
    const events = read(Events, jsonBody(request));
    await trigger(options, events);
    const channels = await descriptions.describeAll(events.channels, attributesOf(events.info));
    return channels === undefined ? {} : { channels };
  });
  server.post('/apps/:id/batch_events', async (request) => {
    const { batch } = read(Batch, jsonBody(request));
    for (const { channel, ...event } of batch) await trigger(options, { ...event, channels: [channel] });
    const asked = batch.map(({ channel, info }) => ({ channel, attributes: attributesOf(info) }));
    if (!asked.some(({ attributes }) => attributes.users || attributes.subscriptions)) return {};
    return {
      batch: await Promise.all(
        asked.map(({ channel, attributes }) => descriptions.describe(channel, attributes)),
      ),
    };
  });
  server.get('/apps/:id/channels', async (request) => {
    const { info, filter_by_prefix: prefix = '' } = read(ChannelsQuery, request.query);
    const attributes = attributesOf(info);
    if (attributes.users && !prefix.startsWith('presence-')) {
      throw new RequestFault(400, 'user_count is only known where filter_by_prefix begins with presence-');
    }
    return { channels: await descriptions.occupied(prefix, attributes) };
  });
  server.get('/apps/:id/channels/:channel', async (request) => {
    const attributes = attributesOf(read(ChannelQuery, request.query).info);
    const channel = channelOf(request);
    if (attributes.users && !channel.startsWith('presence-')) {
      throw new RequestFault(400, 'user_count is only known of presence channels');
    }
    return descriptions.describe(channel, attributes);
  });
  server.get('/apps/:id/channels/:channel/users', async (request) => {
    const channel = channelOf(request);
    if (!channel.startsWith('presence-')) {
      throw new RequestFault(400, 'only presence channels know their users');
    }
    const { after, limit } = read(UserPage, request.query);
    const ids = await presenceChannelStore.page(channel, after, limit);
    return { users: ids.map((id) => ({ id })) };
  });
  server.post('/apps/:id/users/:user/terminate_connections', async (request) => {
    const { user } = read(UserPath, request.params);
    bus.signal(sessionsTopic, { kind: 'connections ended', userId: user });
    return {};
  });
}

/** Refuses requests without a valid signature before their bodies are read, and counts them for their addresses. */
function checkSignatures(server: FastifyInstance, { app, security, settings }: ServerOptions): void {
  server.addHook('onRoute', (route) => {
    route.config = { ...route.config, counts: 'own' };
  });
  server.addHook('onRequest', async (request) => {
    const { method, raw, ip, id, params } = request;
    const fault = signatureFault(app, { method, url: raw.url ?? '' }, Date.now());
    const unknownApp = z.object({ id: z.literal(app.id) }).safeParse(params).error;
    if (fault === undefined && unknownApp === undefined) {
      request.who = 'server';
      return;
    }
    countAddressRequest(ip, settings());
    if (fault !== undefined) {
      security.attempt('a signature of the HTTP side was wrong', { address: ip, reqId: id }, { fault });
    }
    throw new RequestFault(401, fault ?? 'no application has this id');
  });
  server.addHook('preHandler', async ({ body, raw }) => {
    const fault = bodyFault(raw.url ?? '', Buffer.isBuffer(body) ? body : undefined);
    if (fault !== undefined) throw new RequestFault(401, fault);
  });
}

/**
 * Sends an event to the subscribers of its channels. On cache channels it is stored first, so that a client that
 * subscribes meanwhile gets it either as the last event or live.
 */
async function trigger(
  { bus, lastEvents }: ServerOptions,
  { name, data, channels, socket_id }: Omit<Events, 'info'>,
): Promise<void> {
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
