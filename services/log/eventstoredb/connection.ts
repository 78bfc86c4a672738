import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type { ConnectionOptions } from '@eventstore/db-client/dist/Client/parseConnectionString.js';
import type { CallReceiver, GrpcCall } from './grpc-call.ts';
import type { GrpcFailure } from './grpc-failure.ts';
import { type Endpoint, GrpcSession, type TlsFiles } from './grpc-session.ts';

/** Whether a node of a cluster that does not lead refuses a call. */
interface CallOptions {
  readonly requiresLeader: boolean;
}

const service = '/event_store.client.streams.Streams';

/**
 * Calls of the server, over a connection that is opened at the first call, and again at the next one after it broke.
 *
 * Why this room imports from the `dist/` of `@eventstore/db-client`: only its parser of connection strings and its search for the
 * leader of a cluster are used. Its calls take several times the processor time (see `GrpcSession`); and in version 6.2.1 the
 * appends in flight of all clients are in one table (dist/streams/appendToStream/batchAppend.js), so that an error of one
 * call rejects those of all others.
 */
export class EventStoreDBConnection {
  readonly #options: ConnectionOptions;
  readonly #tls: TlsFiles | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  #session: Promise<GrpcSession> | undefined;
  /** Where the connection before was to, and the leader that it named. */
  #before: { readonly failed: Endpoint; readonly leader: Endpoint | undefined } | undefined;
  #endpoint: Endpoint | undefined;

  constructor(options: ConnectionOptions, tls: TlsFiles | undefined) {
    this.#options = options;
    this.#tls = tls;
    const { connectionName = randomUUID(), defaultCredentials: user } = options;
    const basic = user && tls && Buffer.from(`${user.username}:${user.password}`).toString('base64');
    this.#headers = {
      'connection-name': connectionName,
      ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
    };
  }

  /** Opens the call that carries appends and their responses; resolves before it is connected. @throws Error */
  openAppends(receiver: CallReceiver): Promise<GrpcCall> {
    return this.#open('BatchAppend', { requiresLeader: true }, receiver);
  }

  /** Opens a call that reads or follows; resolves before it is connected. @throws Error */
  async openRead(request: Uint8Array, options: CallOptions, receiver: CallReceiver): Promise<GrpcCall> {
    const call = await this.#open('Read', options, receiver);
    call.writeLast(request);
    return call;
  }

  /** Closes the present connection, with all its calls; the next call opens another. */
  async abandon(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#before = this.#endpoint && { failed: this.#endpoint, leader: undefined };
    (await session?.catch(() => undefined))?.destroy();
  }

  async #open(method: string, { requiresLeader }: CallOptions, receiver: CallReceiver): Promise<GrpcCall> {
    const session = await this.#connected();
    return session.call(`${service}/${method}`, requiresLeader ? { 'requires-leader': 'true' } : {}, {
      message: receiver.message,
      ended: (failure) => {
        if (failure?.endsConnection) this.#leave(session, failure);
        receiver.ended(failure);
      },
    });
  }

  async #connected(): Promise<GrpcSession> {
    const present = this.#session;
    const session = await present?.catch(() => undefined);
    if (session?.usable) return session;
    if (this.#session === present) this.#session = this.#connect();
    return this.#session ?? this.#connected();
  }

  async #connect(): Promise<GrpcSession> {
    const endpoint = await this.#find();
    this.#endpoint = endpoint;
    this.#before = undefined;
    return new GrpcSession(endpoint, this.#tls, this.#headers);
  }

  /** The server to connect to. @throws Error if no node of a cluster says who leads */
  async #find(): Promise<Endpoint> {
    const { hosts, dnsDiscover, ...options } = this.#options;
    const [first] = hosts;
    if (first === undefined) throw new Error('EVENTSTORE_URL names no host');
    const { leader, failed } = this.#before ?? {};
    if (leader) return leader;
    // The client's `discover` asks one host alone, so a cluster would be lost with the first node that is named.
    const asked = hosts.length > 1 ? { endpoints: hosts } : { discover: first };
    if (hosts.length === 1 && !dnsDiscover) return first;
    const [{ discoverEndpoint }, { credentials }] = await Promise.all([
      import('@eventstore/db-client/dist/Client/discovery.js'),
      import('@grpc/grpc-js'),
    ]);
    const how = this.#tls
      ? credentials.createSsl(this.#tls.ca, this.#tls.key, this.#tls.cert)
      : credentials.createInsecure();
    return discoverEndpoint({ ...options, ...asked }, how, failed);
  }

  /** Opens another connection at the next call, if this is the present one. */
  #leave(session: GrpcSession, { leader }: GrpcFailure): void {
    const present = this.#session;
    const leave = (current: GrpcSession) => {
      if (current !== session || this.#session !== present) return;
      this.#session = undefined;
      this.#before = this.#endpoint && { failed: this.#endpoint, leader };
      session.close();
    };
    // Another one that cannot be opened fails the calls that wait for it.
    present?.then(leave, () => undefined);
  }
}

/**
 * A connection by its connection string: `esdb://host:2113?tls=false`, several hosts, or `esdb+discover://…`
 * (`kurrentdb` is the newer name of the same). It connects at its first call.
 * @throws Error for an illegal string, a missing certificate file, or an IP address as host with TLS, which
 * gRPC does not support on this Node
 */
export function connectionTo(url: string): EventStoreDBConnection {
  const options = parse(url);
  const { hosts, tls, tlsCAFile, userCertFile, userKeyFile } = options;
  if (hosts.length === 0) throw new Error('EVENTSTORE_URL names no host');
  if (tls === false) return new EventStoreDBConnection(options, undefined);
  if (hosts.some(({ address }) => isIP(address) !== 0)) {
    throw new Error('EVENTSTORE_URL must name hosts by name, not by address, unless it says tls=false');
  }
  return new EventStoreDBConnection(options, {
    ...(tlsCAFile === undefined ? {} : { ca: readFileSync(tlsCAFile) }),
    ...(userCertFile === undefined ? {} : { cert: readFileSync(userCertFile) }),
    ...(userKeyFile === undefined ? {} : { key: readFileSync(userKeyFile) }),
  });
}

/** The servers that a connection string names, and how they are reached. */
export interface NamedServers {
  readonly hosts: readonly { readonly address: string; readonly port: number }[];
  readonly tls: boolean;
  /** The file of the authority that their certificates must be of; undefined if it is one that Node trusts. */
  readonly authorityFile: string | undefined;
}

/** @throws Error for an illegal connection string */
export function serversOf(url: string): NamedServers {
  const { hosts, tls, tlsCAFile } = parse(url);
  return { hosts, tls: tls !== false, authorityFile: tlsCAFile };
}

type Parser = typeof import('@eventstore/db-client/dist/Client/parseConnectionString.js');

/** One host, and at most whether it speaks TLS. */
const plainForm = /^esdb:\/\/(?<address>[\w.-]+)(?::(?<port>\d{1,5}))?(?:\?tls=(?<tls>true|false))?$/;

/**
 * What a connection string says. The client's parser is loaded only for what the plain form does not have: it brings
 * `@grpc/grpc-js`, which takes a command some 50 ms.
 */
function parse(url: string): ConnectionOptions {
  const text = url.replace(/^kurrentdb/, 'esdb');
  const { address, port = '2113', tls } = plainForm.exec(text)?.groups ?? {};
  if (address !== undefined) {
    const hosts = [{ address, port: Number(port) }];
    return { dnsDiscover: false, hosts, ...(tls === undefined ? {} : { tls: tls === 'true' }) };
  }
  const load = createRequire(import.meta.url);
  const parser: Parser = load('@eventstore/db-client/dist/Client/parseConnectionString.js');
  return parser.parseConnectionString(text);
}
