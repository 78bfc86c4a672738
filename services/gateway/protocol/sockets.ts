import type { Logger } from 'pino';
import { type PushCode, pingFrame, pushCodes } from '../../../contracts/push/protocol.ts';
import type { SecurityLog } from '../../edge/security-log.ts';
import { type Connection, closingTimeoutMs } from '../connections/connection.ts';
import type { Connections } from '../connections/connections.ts';
import { textFrame } from '../connections/frame.ts';
import type { Limits } from '../connections/limits.ts';
import { RefusedSockets } from '../connections/refused-sockets.ts';
import type { Session } from '../connections/sessions.ts';
import type { SocketHandler } from '../connections/upgrade.ts';
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

const sweepMs = 1_000;
const recheckMs = 60_000;
const ping = textFrame(pingFrame);

/** Opens, pings and closes sockets. One sweep each second serves all of them. */
export class Sockets implements SocketHandler {
  readonly #options: SocketsOptions;
  readonly #refused = new RefusedSockets();
  #recheckAt = performance.now() + recheckMs;
  #rechecking = false;
  #draining = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: SocketsOptions) {
    this.#options = options;
  }

  /** Begins the sweeps. @returns a function that stops them */
  start(): () => void {
    const sweep = setInterval(() => this.#sweep(), sweepMs);
    sweep.unref();
    return () => clearInterval(sweep);
  }

  refusal(address: string, session: Session | undefined): readonly [PushCode, string] | undefined {
    const { connections, limits } = this.#options;
    if (this.#draining) return [pushCodes.restarting, 'restarting: come again'];
    if (connections.size >= limits.maxSockets) return [pushCodes.overCapacity, 'over capacity'];
    if (connections.countOfAddress(address) >= limits.maxSocketsPerAddress) {
      return [pushCodes.tooManyConnections, 'too many connections from this address'];
    }
    if (session !== undefined && connections.countOfUser(String(session.uid)) >= limits.maxSocketsPerUser) {
      return [pushCodes.tooManyConnections, 'too many connections of this user'];
    }
    return undefined;
  }

  refuse(connection: Connection, code: PushCode, message: string): void {
    // No delay: the client is to try another gateway at once.
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
      identities.addVerifiedToken(connection, session.tokenHash);
      if (!identities.identify(connection, String(session.uid))) return;
    }
    const data = { socket_id: connection.id, activity_timeout: limits.activityTimeoutSeconds };
    connection.send('pusher:connection_established', undefined, JSON.stringify(data));
  }

  received(connection: Connection, text: Buffer): void {
    if (connection.open) this.#options.dispatch.receive(connection, text);
  }

  receivedBinary(connection: Connection, bytes: number): void {
    if (connection.countFrame(bytes)) connection.error(pushCodes.unreadable, 'frames are text');
  }

  closed(connection: Connection): void {
    connection.dropFrames();
    this.#options.subscriber.endAll(connection);
    this.#options.identities.forget(connection);
    if (this.#options.connections.size === 0) this.#onEmpty?.();
  }

  /** Checks all tokens with the next sweep: signals of ended ones may have been lost. */
  recheckSoon(): void {
    this.#recheckAt = 0;
  }

  /** Closes every socket. */
  closeAll(code: PushCode, message: string): void {
    for (const connection of [...this.#options.connections.all()]) connection.close(code, message);
  }

  /** Closes every socket, so that clients reconnect to another gateway at once, and refuses new ones. */
  async drain(): Promise<void> {
    const { connections } = this.#options;
    this.#draining = true;
    this.#refused.stop();
    if (connections.size === 0) return;
    const { promise: empty, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    this.closeAll(pushCodes.restarting, 'restarting: come again');
    const timeout = setTimeout(() => {
      for (const connection of [...connections.all()]) connection.cut();
    }, closingTimeoutMs);
    await empty;
    clearTimeout(timeout);
  }

  #sweep(): void {
    const { connections, limits } = this.#options;
    const now = performance.now();
    const silentSince = now - limits.activityTimeoutSeconds * 1000;
    for (const connection of connections.all()) {
      const { stalledSince } = connection;
      if (stalledSince > 0 && now - stalledSince >= limits.readTimeoutMs) {
        connection.cut();
      } else if (connection.closedAt > 0) {
        if (now - connection.closedAt >= closingTimeoutMs) connection.cut();
      } else if (connection.pingedAt > 0) {
        if (now - connection.pingedAt >= limits.pongTimeoutMs) connection.close(pushCodes.noPong, 'no pong');
      } else if (connection.receivedAt <= silentSince) {
        connection.pingedAt = now;
        connection.write(ping);
      }
    }
    if (now >= this.#recheckAt && !this.#rechecking) void this.#recheck();
  }

  async #recheck(): Promise<void> {
    this.#rechecking = true;
    this.#recheckAt = performance.now() + recheckMs;
    try {
      await this.#options.identities.recheck();
    } catch (error) {
      this.#recheckAt = 0;
      this.#options.logger.warn({ err: error }, 'the tokens of open sockets could not be checked; retrying');
    } finally {
      this.#rechecking = false;
    }
  }
}
