import type { Logger } from 'pino';
import { type PushCode, pingFrame, pushCodes } from '../../../contracts/push/protocol.ts';
import type { SecurityLog } from '../../edge/security-log.ts';
import type { Connection } from '../connections/connection.ts';
import type { Connections } from '../connections/connections.ts';
import { textFrame } from '../connections/frame.ts';
import type { Limits } from '../connections/limits.ts';
import { RefusedSockets } from '../connections/refused-sockets.ts';
import type { Session } from '../connections/sessions.ts';
import type { SocketReader } from '../connections/upgrade.ts';
import type { Dispatch } from './dispatch.ts';
import type { Identities } from './identities.ts';
import type { Subscriber } from './subscriber.ts';

export interface SocketsOptions {
  readonly connections: Connections;
  readonly identities: Identities;
  readonly subscriber: Subscriber;
  readonly dispatch: Dispatch;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly security: SecurityLog;
}

const sweepEvery = 1_000;
const recheckEvery = 60_000;
const closingPatience = 2_000;
const ping = textFrame(pingFrame);

/** The life of sockets: taken, heard, asked whether they are there, closed. One sweep serves all. */
export class Sockets implements SocketReader {
  readonly #options: SocketsOptions;
  readonly #refused = new RefusedSockets();
  #recheckAt = performance.now() + recheckEvery;
  #rechecking = false;
  #draining = false;
  #emptied: (() => void) | undefined;

  constructor(options: SocketsOptions) {
    this.#options = options;
  }

  /** Begins to look after them. Returns how to stop. */
  start(): () => void {
    const sweep = setInterval(() => this.#sweep(), sweepEvery);
    sweep.unref();
    return () => clearInterval(sweep);
  }

  refusal(address: string, session: Session | undefined): readonly [PushCode, string] | undefined {
    const { connections, limits } = this.#options;
    if (this.#draining) return [pushCodes.restarting, 'restarting: come again'];
    if (connections.size >= limits.sockets) return [pushCodes.overCapacity, 'over capacity'];
    if (connections.countOfAddress(address) >= limits.socketsOfAddress) {
      return [pushCodes.tooManyConnections, 'too many connections from this address'];
    }
    if (session !== undefined && connections.countOfUser(String(session.uid)) >= limits.socketsOfUser) {
      return [pushCodes.tooManyConnections, 'too many connections of this user'];
    }
    return undefined;
  }

  refused(connection: Connection, code: PushCode, message: string): void {
    // Who meets a gateway that ends is to try another at once.
    if (code === pushCodes.restarting) {
      connection.close(code, message);
      return;
    }
    const { address } = connection;
    this.#options.security.attempt('a socket was refused', { address }, { code, reason: message });
    this.#refused.refuse(connection, code, message);
  }

  opened(connection: Connection, session: Session | undefined): void {
    const { connections, identities, limits } = this.#options;
    connections.add(connection);
    if (session !== undefined) {
      identities.openedWith(connection, session.hash);
      if (!identities.know(connection, String(session.uid))) return;
    }
    const data = { socket_id: connection.id, activity_timeout: limits.activitySeconds };
    connection.send('pusher:connection_established', undefined, JSON.stringify(data));
  }

  heard(connection: Connection, text: Buffer): void {
    if (connection.open) this.#options.dispatch.take(connection, text);
  }

  heardNoText(connection: Connection, bytes: number): void {
    if (connection.heard(bytes)) connection.error(pushCodes.unreadable, 'frames are text');
  }

  closed(connection: Connection): void {
    connection.closed();
    this.#options.subscriber.endAll(connection);
    this.#options.identities.forget(connection);
    if (this.#options.connections.size === 0) this.#emptied?.();
  }

  /** Looks soon for tokens whose end was not heard. */
  recheckSoon(): void {
    this.#recheckAt = 0;
  }

  /** Closes every socket. */
  closeAll(code: PushCode, message: string): void {
    for (const connection of [...this.#options.connections.all()]) connection.close(code, message);
  }

  /** Closes every socket, so that it reconnects elsewhere at once; takes no more. */
  async drain(): Promise<void> {
    const { connections } = this.#options;
    this.#draining = true;
    this.#refused.stop();
    if (connections.size === 0) return;
    const { promise: emptied, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    this.closeAll(pushCodes.restarting, 'restarting: come again');
    const deadline = setTimeout(() => {
      for (const connection of [...connections.all()]) connection.cut();
    }, closingPatience);
    await emptied;
    clearTimeout(deadline);
  }

  #sweep(): void {
    const { connections, limits } = this.#options;
    const now = performance.now();
    const silentSince = now - limits.activitySeconds * 1000;
    for (const connection of connections.all()) {
      const { stillSince } = connection;
      if (stillSince > 0 && now - stillSince >= limits.readerPatience) {
        connection.cut();
      } else if (connection.closedAt > 0) {
        if (now - connection.closedAt >= closingPatience) connection.cut();
      } else if (connection.askedAt > 0) {
        if (now - connection.askedAt >= limits.pongTimeout) connection.close(pushCodes.noPong, 'no pong');
      } else if (connection.heardAt <= silentSince) {
        connection.askedAt = now;
        connection.write(ping);
      }
    }
    if (now >= this.#recheckAt && !this.#rechecking) void this.#recheck();
  }

  async #recheck(): Promise<void> {
    this.#rechecking = true;
    this.#recheckAt = performance.now() + recheckEvery;
    try {
      await this.#options.identities.recheck();
    } catch (error) {
      this.#recheckAt = 0;
      this.#options.logger.warn({ err: error }, 'the tokens of open sockets could not be looked at');
    } finally {
      this.#rechecking = false;
    }
  }
}
