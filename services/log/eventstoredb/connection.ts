import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { EventStoreDBClient, UnavailableError } from '@eventstore/db-client';
import { parseConnectionString } from '@eventstore/db-client/dist/Client/parseConnectionString.js';
import { StreamsClient, StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';
import type { ReadRequest } from './read-request.ts';
import { decodeReadResponse, type ReadResponse } from './read-response.ts';

export type AppendStream = ClientDuplexStream<BatchAppendReq, BatchAppendResp>;
export type ReadCall = ClientReadableStream<ReadResponse>;

/**
 * The client with three more methods, which are all that the log uses.
 *
 * Why this room imports from the client's `generated/` and `dist/`: in version 6.2.1 `appendToStream` has a bug in
 * dist/streams/appendToStream/batchAppend.js. The appends in flight are in one table of the module, `promiseBank`, so
 * an error of one call rejects those of every client; and each append is sent by an async function inside
 * `new Promise(…)`, so a write that fails is an unhandled rejection, which ends the process. Killing the server
 * under large appends does that. So appends go over a gRPC call that we open ourselves, with the generated messages.
 * Reads go over calls of our own too, since the client drops the bytes of each event and takes twice the processor time.
 * `connectionString()` always makes an EventStoreDBClient and never a subclass, so the string is parsed here.
 *
 * test/log/eventstoredb-connection.test.ts fails as soon as an installed client no longer has the bug.
 */
export class EventStoreDBConnection extends EventStoreDBClient {
  /** Opens the call that carries appends and their responses; resolves before it is connected. */
  openAppends(): Promise<AppendStream> {
    return this.GRPCStreamCreator(StreamsClient, 'append', (client) =>
      client.batchAppend(
        ...this.callArguments({ requiresLeader: true }, { deadline: Number.POSITIVE_INFINITY }),
      ),
    )();
  }

  /**
   * Opens a call that reads or follows; resolves before it is connected.
   * @param requiresLeader whether a node of a cluster that does not lead refuses it
   */
  openRead(
    request: ReadRequest,
    { requiresLeader }: { readonly requiresLeader: boolean },
  ): Promise<ReadCall> {
    const { path, requestSerialize } = StreamsService.read;
    return this.GRPCStreamCreator(StreamsClient, 'read', (client) =>
      client.makeServerStreamRequest(
        path,
        requestSerialize,
        decodeReadResponse,
        request,
        ...this.callArguments({ requiresLeader }, { deadline: Number.POSITIVE_INFINITY }),
      ),
    )();
  }

  /** Closes the present connection, which no longer answers; the next call opens another. */
  async abandon(): Promise<void> {
    await this.execute(StreamsClient, 'abandon', (client) =>
      this.handleError(client, new UnavailableError()),
    );
  }
}

/** Ends a call whose responses nobody waits for any more. */
export function cancelRead(call: ReadCall): void {
  call.on('error', () => undefined);
  // Cancelled in the turn in which it was opened, the call would fail in gRPC: https://github.com/grpc/grpc-node/issues/1652
  setImmediate(() => call.cancel());
}

/**
 * A connection by its connection string: `esdb://host:2113?tls=false`, several hosts, or `esdb+discover://…`
 * (`kurrentdb` is the newer name of the same). It connects at its first call.
 * @throws Error for an illegal string, a missing certificate file, or an IP address as host with TLS, which
 * gRPC does not support on this Node
 */
export function connectionTo(url: string): EventStoreDBConnection {
  const { hosts, dnsDiscover, defaultCredentials, tls, tlsCAFile, userCertFile, userKeyFile, ...options } =
    parse(url);
  const [first] = hosts;
  if (first === undefined) throw new Error('EVENTSTORE_URL names no host');
  if (tls !== false && hosts.some(({ address }) => isIP(address) !== 0)) {
    throw new Error('EVENTSTORE_URL must name hosts by name, not by address, unless it says tls=false');
  }
  const credentials = {
    insecure: tls === false,
    ...(tlsCAFile === undefined ? {} : { rootCertificate: readFileSync(tlsCAFile) }),
    ...(userCertFile === undefined ? {} : { userCertFile: readFileSync(userCertFile) }),
    ...(userKeyFile === undefined ? {} : { userKeyFile: readFileSync(userKeyFile) }),
  };
  // The client's `discover` asks one host alone, so a cluster would be lost with the first node that is named.
  if (hosts.length > 1) {
    return new EventStoreDBConnection({ ...options, endpoints: hosts }, credentials, defaultCredentials);
  }
  if (dnsDiscover) {
    return new EventStoreDBConnection({ ...options, discover: first }, credentials, defaultCredentials);
  }
  return new EventStoreDBConnection({ ...options, endpoint: first }, credentials, defaultCredentials);
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

function parse(url: string): ReturnType<typeof parseConnectionString> {
  return parseConnectionString(url.replace(/^kurrentdb/, 'esdb'));
}
