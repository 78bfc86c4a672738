import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { keptPosition } from '../../../contracts/push/position.ts';
import { maxFrameBytes, maxFrameFragments, type PushCode } from '../../../contracts/push/protocol.ts';
import { websocketAddress } from '../../../contracts/websocket-address.ts';
import { type Client, clientOf, type Trust } from '../../edge/proxies.ts';
import { STATUS_CODES } from '../../http-module.ts';
import { AddressThrottle } from './address-throttle.ts';
import { type AdmissionOptions, admit, type Credentials, type Verdict } from './admission.ts';
import { Connection } from './connection.ts';
import type { Limits } from './limits.ts';
import type { Session } from './sessions.ts';
import { WriteQueue } from './write-queue.ts';

/** What happens to sockets after the handshake. */
export interface SocketHandler {
  /** Why one more socket from the address, of this session's user, is refused; undefined if it is accepted. */
  refusal(address: string, session: Session | undefined): readonly [PushCode, string] | undefined;
  /** Sends the reason to a socket that is refused, and closes it. */
  refuse(connection: Connection, code: PushCode, message: string): void;
  opened(connection: Connection, session: Session | undefined): void;
  received(connection: Connection, text: Buffer): void;
  receivedBinary(connection: Connection, bytes: number): void;
  closed(connection: Connection): void;
}

export interface UpgradeOptions extends AdmissionOptions {
  readonly limits: Limits;
  readonly handler: SocketHandler;
  /** Which proxies may name the client's address, protocol and host. */
  readonly trust: Trust;
}

/** `ws` closes a socket by itself after an error (a frame too large, bad UTF-8). One function for all sockets. */
const ignoreError = () => undefined;

/** Any prefix, an optional ticket, and the app's key. */
const path = /(?:^|\/)(?:ticket\/([^/?]+)\/)?app\/([^/?]+)\/?$/;

/**
 * Accepts websockets from an HTTP server: any path that ends in `/app/{key}`.
 * @returns a function that stops accepting
 */
export function acceptUpgrades(server: Server, options: UpgradeOptions): () => void {
  const websockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    maxFragments: maxFrameFragments,
    clientTracking: false,
  });
  const writeQueue = new WriteQueue();
  const throttle = new AddressThrottle(options.limits);
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const destroy = () => socket.destroy();
    socket.on('error', destroy);
    const url = readUrl(request.url);
    const credentials = url && readCredentials(request, url, options.trust);
    if (url === undefined || credentials === undefined) {
      refuseHandshake(socket, 404);
      return;
    }
    void admit(options, credentials).then((verdict) => {
      socket.off('error', destroy);
      if (socket.destroyed) return;
      websockets.handleUpgrade(request, socket, head, (peer) =>
        accept(options, { peer, socket, url, verdict, writeQueue, throttle, client: credentials.page }),
      );
    });
  };
  server.on('upgrade', onUpgrade);
  return () => server.off('upgrade', onUpgrade);
}

function readCredentials(request: IncomingMessage, url: URL, trust: Trust): Credentials | undefined {
  const [, ticket, key] = path.exec(url.pathname) ?? [];
  if (key === undefined) return undefined;
  const page = { headers: request.headers, ...clientOf(request, trust) };
  return { page, key: decoded(key), ticket, token: url.searchParams.get('token') || undefined };
}

function accept(
  { handler, limits }: UpgradeOptions,
  upgrade: {
    peer: WebSocket;
    socket: Duplex;
    client: Client;
    url: URL;
    verdict: Verdict;
    writeQueue: WriteQueue;
    throttle: AddressThrottle;
  },
): void {
  const { peer, socket, client, url, verdict, writeQueue, throttle } = upgrade;
  const { address } = client;
  const sinceText = url.searchParams.get('since') || undefined;
  const since = sinceText === undefined ? undefined : keptPosition(sinceText);
  const wsAddress = websocketAddress(client);
  const connection = new Connection(peer, socket, {
    address,
    wsAddress,
    since,
    limits,
    writeQueue,
    throttle,
  });
  peer.on('error', ignoreError);
  if ('code' in verdict) {
    handler.refuse(connection, verdict.code, verdict.message);
    return;
  }
  const refusal = handler.refusal(address, verdict.session);
  if (refusal !== undefined) {
    handler.refuse(connection, ...refusal);
    return;
  }
  peer.on('message', (data, isBinary) => {
    if (isBinary) handler.receivedBinary(connection, bytesOf(data).length);
    else handler.received(connection, bytesOf(data));
  });
  // `ws` answers pings. They count as frames, and so do pongs without a ping.
  const count = (data: Buffer) => void connection.countFrame(data.length);
  peer.on('ping', count);
  peer.on('pong', count);
  peer.on('close', () => handler.closed(connection));
  handler.opened(connection, verdict.session);
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function readUrl(url: string | undefined): URL | undefined {
  try {
    return new URL(url ?? '', 'ws://gateway');
  } catch {
    return undefined;
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refuseHandshake(socket: Duplex, status: number): void {
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}`;
  // Destroyed, or the client could keep its half of the connection open.
  socket.end(`${head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
