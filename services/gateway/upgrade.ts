import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { maxFrameBytes, type PushCode, pushCodes } from '../../contracts/push/protocol.ts';
import { clientOf, type Trust } from '../proxies.ts';
import { Connection } from './connection.ts';
import type { Limits } from './limits.ts';
import { Outbox } from './outbox.ts';
import type { Session, Sessions } from './sessions.ts';
import type { App } from './signature.ts';

/** What is done with sockets. */
export interface SocketReader {
  /** Why one more socket from the address is not taken; undefined where it is. */
  refusal(address: string): readonly [PushCode, string] | undefined;
  opened(connection: Connection, session: Session | undefined): void;
  heard(connection: Connection, text: string): void;
  heardNoText(connection: Connection): void;
  closed(connection: Connection): void;
}

export interface UpgradeOptions {
  readonly app: App;
  readonly sessions: Sessions;
  readonly limits: Limits;
  readonly reader: SocketReader;
  /** Which proxies may name the client's address, protocol and host. */
  readonly trust: Trust;
}

/** A peer closes by itself after an error of its own (a frame too large, bad UTF-8). Shared: there are many. */
const closesByItself = () => undefined;

const path = /(?:^|\/)app\/([^/?]+)\/?$/;

/** Takes websockets from an HTTP server: any path that ends in `/app/{key}`. Returns how to stop. */
export function takeUpgrades(server: Server, options: UpgradeOptions): () => void {
  const websockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    clientTracking: false,
  });
  const outbox = new Outbox();
  const take = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    const url = readUrl(request.url);
    const key = url && path.exec(url.pathname)?.[1];
    if (url === undefined || key === undefined) {
      refuseHandshake(socket, 404);
      return;
    }
    void judge(options, decoded(key), url.searchParams).then((verdict) => {
      socket.off('error', ignore);
      if (socket.destroyed) return;
      websockets.handleUpgrade(request, socket, head, (peer) =>
        accept(options, { peer, socket, request, url, verdict, outbox }),
      );
    });
  };
  server.on('upgrade', take);
  return () => server.off('upgrade', take);
}

type Verdict =
  | { readonly session: Session | undefined }
  | { readonly code: PushCode; readonly message: string };

async function judge(
  { app, sessions }: UpgradeOptions,
  key: string | undefined,
  query: URLSearchParams,
): Promise<Verdict> {
  if (key !== app.key) return { code: pushCodes.unknownKey, message: 'no application has this key' };
  const token = query.get('token');
  if (token === null || token === '') return { session: undefined };
  try {
    const session = await sessions.verify(token);
    return session === undefined
      ? { code: pushCodes.tokenEnded, message: 'the token has ended' }
      : { session };
  } catch {
    return { code: pushCodes.overCapacity, message: 'not ready: come again' };
  }
}

function accept(
  { reader, limits, trust }: UpgradeOptions,
  given: {
    peer: WebSocket;
    socket: Duplex;
    request: IncomingMessage;
    url: URL;
    verdict: Verdict;
    outbox: Outbox;
  },
): void {
  const { peer, socket, request, url, verdict, outbox } = given;
  const { address } = clientOf(request, trust);
  const since = url.searchParams.get('since') || undefined;
  const connection = new Connection(peer, socket, { address, since, limits, outbox });
  peer.on('error', closesByItself);
  const refusal = 'code' in verdict ? ([verdict.code, verdict.message] as const) : reader.refusal(address);
  if (refusal !== undefined || 'code' in verdict) {
    if (refusal !== undefined) connection.close(...refusal);
    return;
  }
  peer.on('message', (data, isBinary) => {
    if (isBinary) reader.heardNoText(connection);
    else reader.heard(connection, textOf(data));
  });
  // The peer answers pings by itself; they count as frames, as pongs that nobody asked for do.
  const count = () => void connection.heard();
  peer.on('ping', count);
  peer.on('pong', count);
  peer.on('close', () => reader.closed(connection));
  reader.opened(connection, verdict.session);
}

function textOf(data: RawData): string {
  return Array.isArray(data) ? Buffer.concat(data).toString() : data.toString();
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
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
