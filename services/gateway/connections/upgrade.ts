import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { keptPosition } from '../../../contracts/push/position.ts';
import { maxFrameBytes, type PushCode } from '../../../contracts/push/protocol.ts';
import { websocketAddress } from '../../../contracts/websocket-address.ts';
import { type Client, clientOf, type Trust } from '../../edge/proxies.ts';
import { type AdmissionOptions, admit, type Shown, type Verdict } from './admission.ts';
import { Connection } from './connection.ts';
import type { Limits } from './limits.ts';
import { Outbox } from './outbox.ts';
import { Pace } from './pace.ts';
import type { Session } from './sessions.ts';

/** What is done with sockets. */
export interface SocketReader {
  /** Why one more socket from the address, of this session's person, is not taken; undefined if it is. */
  refusal(address: string, session: Session | undefined): readonly [PushCode, string] | undefined;
  /** The socket is not taken: tells it why, and closes it. */
  refused(connection: Connection, code: PushCode, message: string): void;
  opened(connection: Connection, session: Session | undefined): void;
  heard(connection: Connection, text: Buffer): void;
  heardNoText(connection: Connection, bytes: number): void;
  closed(connection: Connection): void;
}

export interface UpgradeOptions extends AdmissionOptions {
  readonly limits: Limits;
  readonly reader: SocketReader;
  /** Which proxies may name the client's address, protocol and host. */
  readonly trust: Trust;
}

/** A peer closes by itself after an error of its own (a frame too large, bad UTF-8). Shared: there are many. */
const closesByItself = () => undefined;

/** Anything, perhaps a ticket, then the app's key. */
const path = /(?:^|\/)(?:ticket\/([^/?]+)\/)?app\/([^/?]+)\/?$/;

/** Takes websockets from an HTTP server: any path that ends in `/app/{key}`. Returns how to stop. */
export function takeUpgrades(server: Server, options: UpgradeOptions): () => void {
  const websockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    clientTracking: false,
  });
  const outbox = new Outbox();
  const pace = new Pace(options.limits);
  const take = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    const url = readUrl(request.url);
    const shown = url && readShown(request, url, options.trust);
    if (url === undefined || shown === undefined) {
      refuseHandshake(socket, 404);
      return;
    }
    void admit(options, shown).then((verdict) => {
      socket.off('error', ignore);
      if (socket.destroyed) return;
      websockets.handleUpgrade(request, socket, head, (peer) =>
        accept(options, { peer, socket, url, verdict, outbox, pace, client: shown.page }),
      );
    });
  };
  server.on('upgrade', take);
  return () => server.off('upgrade', take);
}

function readShown(request: IncomingMessage, url: URL, trust: Trust): Shown | undefined {
  const [, ticket, key] = path.exec(url.pathname) ?? [];
  if (key === undefined) return undefined;
  const page = { headers: request.headers, ...clientOf(request, trust) };
  return { page, key: decoded(key), ticket, token: url.searchParams.get('token') || undefined };
}

function accept(
  { reader, limits }: UpgradeOptions,
  given: {
    peer: WebSocket;
    socket: Duplex;
    client: Client;
    url: URL;
    verdict: Verdict;
    outbox: Outbox;
    pace: Pace;
  },
): void {
  const { peer, socket, client, url, verdict, outbox, pace } = given;
  const { address } = client;
  const named = url.searchParams.get('since') || undefined;
  const since = named === undefined ? undefined : keptPosition(named);
  const reachedAt = websocketAddress(client);
  const connection = new Connection(peer, socket, { address, reachedAt, since, limits, outbox, pace });
  peer.on('error', closesByItself);
  if ('code' in verdict) {
    reader.refused(connection, verdict.code, verdict.message);
    return;
  }
  const refusal = reader.refusal(address, verdict.session);
  if (refusal !== undefined) {
    reader.refused(connection, ...refusal);
    return;
  }
  peer.on('message', (data, isBinary) => {
    if (isBinary) reader.heardNoText(connection, bytesOf(data).length);
    else reader.heard(connection, bytesOf(data));
  });
  // The peer answers pings by itself; they count as frames, as pongs that nobody asked for do.
  const count = (data: Buffer) => void connection.heard(data.length);
  peer.on('ping', count);
  peer.on('pong', count);
  peer.on('close', () => reader.closed(connection));
  reader.opened(connection, verdict.session);
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
  // Not left open for as long as the client likes.
  socket.end(`${head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
