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
import { PushRecord } from '../pushes/record.ts';
import { Connections } from './connections/connections.ts';
import { defaultLimits, type Limits } from './connections/limits.ts';
import type { Sessions } from './connections/sessions.ts';
import { takeUpgrades } from './connections/upgrade.ts';
import { type AuthSettings, authRoutes } from './http/auth-routes.ts';
import { serverRoutes } from './http/server-routes.ts';
import { MemberStore } from './presence/member-store.ts';
import { Members } from './presence/members.ts';
import { Occupancy } from './presence/occupancy.ts';
import { People } from './presence/people.ts';
import { PresenceStore } from './presence/presence-store.ts';
import { Delivery } from './protocol/delivery.ts';
import { Dispatch } from './protocol/dispatch.ts';
import { Identities } from './protocol/identities.ts';
import { Sockets } from './protocol/sockets.ts';
import { Subscriber } from './protocol/subscriber.ts';
import { Audit } from './subscriptions/audit.ts';
import { namesOfFeed } from './subscriptions/channel-name.ts';
import { ChatRights } from './subscriptions/chat-rights.ts';
import { Chats } from './subscriptions/chats.ts';
import { LastEvents } from './subscriptions/last-events.ts';
import { Looks } from './subscriptions/look.ts';
import { Memberships } from './subscriptions/memberships.ts';
import { Rooms } from './subscriptions/rooms.ts';
import { Tail } from './subscriptions/tail.ts';

export interface GatewayOptions {
  readonly bus: Bus;
  readonly database: Database;
  readonly app: App;
  readonly sessions: Sessions;
  readonly logger: Logger;
  /** What differs from `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** The token of the login cookie, if the request's origin may use it; by default none is taken. */
  readonly cookieToken?: (request: PageRequest) => Promise<string | undefined>;
  /** The settings that the endpoints go by; by default those of a new installation. */
  readonly settings?: () => AuthSettings;
  /** Which proxies may name the client's address, protocol and host; by default none. */
  readonly trust?: Trust;
}

/** What a gateway is doing just now. */
export interface GatewayStatus {
  readonly gateway: string;
  readonly sockets: number;
  /** Feeds of the log that it listens to. */
  readonly feeds: number;
  /** Frames given to sockets so far. */
  readonly delivered: number;
  /** Up to where in the log everything was given. */
  readonly place: string;
  /** For how long it has tried to read pushes that it missed, in milliseconds; 0 if it misses none. */
  readonly stalled: number;
}

export interface Gateway {
  /** Begins to hear and to be counted. @throws what the database throws. */
  start(): Promise<void>;
  /** Takes websockets from the server: any path that ends in `/app/{key}`. */
  attach(server: Server): void;
  /** Pusher's auth endpoints and its HTTP side. */
  readonly routes: FastifyPluginAsync;
  /** Closes all sockets with 4200 and stops, once; the server itself is its owner's. */
  drain(): Promise<void>;
  status(): GatewayStatus;
}

/** Makes a gateway: the sockets, what they hear, and who is online through it. Holds no truth. */
export function createGateway(options: GatewayOptions): Gateway {
  const { bus, database, app, logger, sessions } = options;
  const id = randomUUID();
  const security = createSecurityLog(logger);
  const limits = { ...defaultLimits, ...options.limits };
  const cookieToken = options.cookieToken ?? (async () => undefined);
  const record = new PushRecord(database);
  const rooms = new Rooms(app.key, limits.replayedEvents);
  const connections = new Connections();
  const audit = new Audit({ record, rooms, logger });
  const tail = new Tail({ bus, record, logger });
  const looks = new Looks(record, tail);
  const memberships = new Memberships(tail.feeds);
  const rights = new ChatRights(database);
  const chats: Chats = new Chats({
    ...{ rights, feeds: tail.feeds, logger },
    revoke: (subscription) => subscriber.revoke(subscription),
  });
  const lastEvents = new LastEvents(database);
  const memberStore = new MemberStore(database, id);
  const members = new Members({ store: memberStore, bus, rooms, logger });
  const people = new People({
    store: new PresenceStore(database, id),
    bus,
    logger,
    offlineAfter: limits.offlineAfter,
    gatewaySilence: limits.gatewaySilence,
    onBeat: (known) => members.allStale(!known),
  });
  const identities = new Identities({ database, connections, people, limits });
  const subscriber: Subscriber = new Subscriber({
    ...{ app, bus, rooms, tail, looks, record, memberships, members, audit, limits, logger, identities },
    ...{ rights, chats, lastEvents },
    hearTopic: (topic) => bus.onSignal(topic, (signal) => hearOnChannel(signal, rooms, members)),
  });
  const dispatch = new Dispatch({ app, bus, subscriber, identities, rights, limits });
  const sockets = new Sockets({ connections, identities, subscriber, dispatch, limits, logger, security });
  const occupancy = new Occupancy({ bus, database, rooms, gateway: id });
  const delivery = new Delivery({
    ...{ rooms, memberships, subscriber, record, audit, chats },
    onMissed: () => {
      chats.judgeAll();
      members.allStale();
      sockets.recheckSoon();
    },
    onRestored: () => sockets.closeAll(pushCodes.restarting, 'the log was restored: come again'),
  });
  const stops: (() => void)[] = [];
  const detach: (() => void)[] = [];

  let drained: Promise<void> | undefined;

  async function end(): Promise<void> {
    for (const stop of stops) stop();
    // Where the database is away, the others find out that nobody is here any more.
    const left = people.leave().catch((error) => logger.warn({ err: error }, 'nobody was told to be gone'));
    await sockets.drain();
    tail.stop();
    occupancy.stop();
    await left;
    for (const stop of detach) stop();
  }

  return {
    async start() {
      await tail.start(delivery);
      await people.start();
      stops.push(
        bus.onSignal(sessionsTopic, (signal) => hearOfSessions(signal, identities)),
        bus.onInterruption(() => {
          members.allStale();
          sockets.recheckSoon();
        }),
        sockets.start(),
      );
    },
    attach(server) {
      const { trust = trustNone } = options;
      detach.push(takeUpgrades(server, { app, sessions, cookieToken, limits, reader: sockets, trust }));
    },
    routes: async (server) => {
      const settings = options.settings ?? (() => defaultSettings);
      authRoutes(server, { app, sessions, looks, rights, database, cookieToken, security, settings });
      await server.register(serverRoutes, {
        ...{ app, bus, occupancy, memberStore, lastEvents, security, settings },
      });
    },
    drain() {
      drained ??= end();
      return drained;
    },
    status: () => ({
      gateway: id,
      sockets: connections.size,
      feeds: tail.feeds.names().length,
      delivered: rooms.delivered,
      place: tail.place,
      stalled: tail.stalled,
    }),
  };
}

function hearOnChannel(signal: Signal, rooms: Rooms, members: Members): void {
  if (signal.kind === 'members changed') members.stale(signal.channel);
  if (signal.kind !== 'ephemeral') return;
  const names = signal.twin === true ? namesOfFeed(signal.channel) : [signal.channel];
  for (const name of names) rooms.giveEphemeral(name, signal);
}

function hearOfSessions(signal: Signal, identities: Identities): void {
  if (signal.kind === 'token ended') identities.endSession(signal.token);
  if (signal.kind === 'user ended') identities.endUser(String(signal.uid));
  if (signal.kind === 'connections ended') identities.endUser(signal.userId);
}
