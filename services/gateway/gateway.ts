import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { FastifyPluginAsync } from 'fastify';
import type { Logger } from 'pino';
import { pushCodes } from '../../contracts/push/protocol.ts';
import { defaultSettings } from '../../contracts/settings.ts';
import type { App } from '../app-keys/signature.ts';
import type { Bus, Signal } from '../bus/bus.ts';
import { sessionsTopic } from '../bus/topics.ts';
import { type PageRequest, type Trust, trustNone } from '../edge/proxies.ts';
import { createSecurityLog } from '../edge/security-log.ts';
import type { Database } from '../postgres/database.ts';
import { PushStore } from '../pushes/push-store.ts';
import { Connections } from './connections/connections.ts';
import { defaultLimits, type Limits } from './connections/limits.ts';
import type { Sessions } from './connections/sessions.ts';
import { acceptUpgrades } from './connections/upgrade.ts';
import { type AuthSettings, authRoutes } from './http/auth-routes.ts';
import { serverRoutes } from './http/server-routes.ts';
import { Occupancy } from './presence/occupancy.ts';
import { OnlineUsers } from './presence/online-users.ts';
import { OnlineUsersStore } from './presence/online-users-store.ts';
import { PresenceChannelStore } from './presence/presence-channel-store.ts';
import { PresenceChannels } from './presence/presence-channels.ts';
import { Delivery } from './protocol/delivery.ts';
import { Dispatch } from './protocol/dispatch.ts';
import { Identities } from './protocol/identities.ts';
import { Sockets } from './protocol/sockets.ts';
import { Subscriber } from './protocol/subscriber.ts';
import { AuditChannel } from './subscriptions/audit-channel.ts';
import { namesOfFeed } from './subscriptions/channel.ts';
import { ChatChannels } from './subscriptions/chat-channels.ts';
import { ChatRights } from './subscriptions/chat-rights.ts';
import { GroupMemberships } from './subscriptions/group-memberships.ts';
import { Hub } from './subscriptions/hub.ts';
import { LastEvents } from './subscriptions/last-events.ts';
import { PushFeed } from './subscriptions/push-feed.ts';
import { Snapshots } from './subscriptions/snapshot.ts';
import { UnexpectedFailures } from './unexpected.ts';

export interface GatewayOptions {
  readonly bus: Bus;
  readonly database: Database;
  readonly app: App;
  readonly sessions: Sessions;
  readonly logger: Logger;
  /** Limits that replace those of `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** The token in the login cookie, if the request's origin may use it. By default cookies are ignored. */
  readonly cookieToken?: (request: PageRequest) => Promise<string | undefined>;
  /** The settings of the HTTP endpoints. By default those of a new installation. */
  readonly settings?: () => AuthSettings;
  /** Which proxies may name the client's address, protocol and host. By default none. */
  readonly trust?: Trust;
}

/** The state of a gateway. */
export interface GatewayStatus {
  readonly gateway: string;
  readonly sockets: number;
  /** Feeds of the log to which it listens. */
  readonly feeds: number;
  /** Events delivered so far, each socket counted. */
  readonly delivered: number;
  /** Everything up to this position of the log was delivered. */
  readonly position: string;
  /** How long missed pushes have been read without success, in milliseconds; 0 if none are missed. */
  readonly stalledMs: number;
}

/** What the sockets of a gateway hold. To find out takes time for each socket. */
export interface GatewayLoad {
  /** Subscriptions to channels, in whatever state. */
  readonly subscriptions: number;
  /** Bytes that clients have not read yet, without those in the system's own buffers. */
  readonly unreadBytes: number;
}

export interface Gateway {
  /** Begins to follow the log's pushes, and its heartbeats. @throws what the database throws. */
  start(): Promise<void>;
  /** Accepts websockets from the server: any path that ends in `/app/{key}`. */
  attach(server: Server): void;
  /** Pusher's auth endpoints, and its HTTP API for other backends. */
  readonly routes: FastifyPluginAsync;
  /** Closes all sockets with 4200 and stops. A repeat has no effect. The HTTP server stays open. */
  drain(): Promise<void>;
  status(): GatewayStatus;
  load(): GatewayLoad;
}

/** Makes a gateway. All that it needs after a restart is in the database. */
export function createGateway(options: GatewayOptions): Gateway {
  const { bus, database, app, logger, sessions } = options;
  const id = randomUUID();
  const security = createSecurityLog(logger);
  const unexpected = new UnexpectedFailures(logger);
  const limits = { ...defaultLimits, ...options.limits };
  const cookieToken = options.cookieToken ?? (async () => undefined);
  const pushStore = new PushStore(database);
  const hub = new Hub(app.key, limits.maxReplayedEvents);
  const connections = new Connections();
  const audit = new AuditChannel({ pushStore, hub, logger });
  const pushFeed = new PushFeed({ bus, pushStore, logger });
  const snapshots = new Snapshots(pushStore, pushFeed);
  const memberships = new GroupMemberships(pushFeed.feeds);
  const rights = new ChatRights(database);
  const chatChannels: ChatChannels = new ChatChannels({
    ...{ rights, feeds: pushFeed.feeds, logger },
    revoke: (subscription) => subscriber.revoke(subscription),
  });
  const lastEvents = new LastEvents(database);
  const presenceChannelStore = new PresenceChannelStore(database, id);
  const presenceChannels: PresenceChannels = new PresenceChannels({
    ...{ store: presenceChannelStore, bus, hub, logger },
    onFailure: () => onlineUsers.beatSoon(),
  });
  const onlineUsers = new OnlineUsers({
    ...{ store: new OnlineUsersStore(database, id), bus, logger },
    ...{ offlineDelayMs: limits.offlineDelayMs, gatewayTimeoutMs: limits.gatewayTimeoutMs },
    onBeat: (known) => presenceChannels.allStale(!known),
  });
  const identities = new Identities({ database, connections, onlineUsers, limits });
  const subscriber: Subscriber = new Subscriber({
    ...{
      app,
      bus,
      hub,
      pushFeed,
      snapshots,
      pushStore,
      memberships,
      presenceChannels,
      audit,
      limits,
      logger,
    },
    ...{ identities, rights, chatChannels, lastEvents },
    listenToTopic: (topic) => bus.onSignal(topic, (signal) => onChannelSignal(signal, hub, presenceChannels)),
  });
  const dispatch = new Dispatch({ app, bus, subscriber, identities, rights, limits, unexpected });
  const sockets = new Sockets({ connections, identities, subscriber, dispatch, limits, logger, security });
  const occupancy = new Occupancy({ bus, database, hub, gateway: id });
  const delivery = new Delivery({
    ...{ hub, memberships, subscriber, pushStore, audit, chatChannels },
    onGap: () => {
      chatChannels.judgeAll();
      presenceChannels.allStale();
      sockets.recheckSoon();
    },
    onRestored: () => sockets.closeAll(pushCodes.restarting, 'the log was restored: come again'),
  });
  const stops: (() => void)[] = [];
  const detach: (() => void)[] = [];

  let drained: Promise<void> | undefined;

  async function end(): Promise<void> {
    for (const stop of stops) stop();
    // If the database is away, the other gateways notice by the heartbeats that this one is gone.
    const left = onlineUsers
      .leave()
      .catch((error) => logger.warn({ err: error }, 'the other gateways could not be notified of the stop'));
    await sockets.drain();
    pushFeed.stop();
    occupancy.stop();
    await left;
    for (const stop of detach) stop();
  }

  return {
    async start() {
      await pushFeed.start(delivery);
      await onlineUsers.start();
      stops.push(
        bus.onSignal(sessionsTopic, (signal) => onSessionSignal(signal, identities)),
        bus.onInterruption(() => {
          presenceChannels.allStale();
          sockets.recheckSoon();
        }),
        sockets.start(),
      );
    },
    attach(server) {
      const { trust = trustNone } = options;
      detach.push(
        acceptUpgrades(server, { app, sessions, cookieToken, limits, handler: sockets, trust, unexpected }),
      );
    },
    routes: async (server) => {
      const settings = options.settings ?? (() => defaultSettings);
      authRoutes(server, { app, sessions, snapshots, rights, database, cookieToken, security, settings });
      await server.register(serverRoutes, {
        ...{ app, bus, occupancy, presenceChannelStore, lastEvents, security, settings },
      });
    },
    drain() {
      drained ??= end();
      return drained;
    },
    status: () => ({
      gateway: id,
      sockets: connections.size,
      feeds: pushFeed.feeds.names().length,
      delivered: hub.delivered,
      position: pushFeed.position,
      stalledMs: pushFeed.stalledMs,
    }),
    load: () => ({ subscriptions: hub.size, unreadBytes: connections.unreadBytes }),
  };
}

function onChannelSignal(signal: Signal, hub: Hub, presenceChannels: PresenceChannels): void {
  if (signal.kind === 'members changed') presenceChannels.stale(signal.channel);
  if (signal.kind !== 'ephemeral') return;
  const channels = signal.twin === true ? namesOfFeed(signal.channel) : [signal.channel];
  for (const channel of channels) hub.deliverEphemeral(channel, signal);
}

function onSessionSignal(signal: Signal, identities: Identities): void {
  if (signal.kind === 'token ended') identities.endToken(signal.token);
  if (signal.kind === 'user ended') identities.endUser(String(signal.uid));
  if (signal.kind === 'connections ended') identities.endUser(signal.userId);
}
