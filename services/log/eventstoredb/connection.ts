import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { EventStoreDBClient, UnavailableError } from '@eventstore/db-client';
import { parseConnectionString } from '@eventstore/db-client/dist/Client/parseConnectionString.js';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientDuplexStream } from '@grpc/grpc-js';

export type AppendStream = ClientDuplexStream<BatchAppendReq, BatchAppendResp>;

/**
 * The client with two things more. Its own `appendToStream` keeps what is in flight in a table of
 * the module and lets go of promises where a fault meets a full socket: a server that was killed
 * under large appends then ended the process by an unhandled rejection. So appends go over a stream
 * that the caller reads and writes.
 */
export class EventStoreDBConnection extends EventStoreDBClient {
  /** Opens the stream over which appends go and their answers come; settles before it is connected. */
  openAppends(): Promise<AppendStream> {
    return this.GRPCStreamCreator(StreamsClient, 'append', (client) =>
      client.batchAppend(
        ...this.callArguments({ requiresLeader: true }, { deadline: Number.POSITIVE_INFINITY }),
      ),
    )();
  }

  /** Leaves the present connection, which no longer answers; the next call makes another. */
  async abandon(): Promise<void> {
    await this.execute(StreamsClient, 'abandon', (client) =>
      this.handleError(client, new UnavailableError()),
    );
  }
}

/**
 * A connection as a connection string describes it: `esdb://host:2113?tls=false`, several hosts, or
 * `esdb+discover://…` (`kurrentdb` is the newer name of the same). It connects at its first call.
 * @throws Error for a string that cannot be read, a certificate file that is not there, or an address
 * in place of a host's name with TLS, which gRPC cannot do on this Node.
 */
export function connectionTo(url: string): EventStoreDBConnection {
  const { hosts, dnsDiscover, defaultCredentials, tls, tlsCAFile, userCertFile, userKeyFile, ...options } =
    parseConnectionString(url.replace(/^kurrentdb/, 'esdb'));
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
  if (dnsDiscover) {
    return new EventStoreDBConnection({ ...options, discover: first }, credentials, defaultCredentials);
  }
  if (hosts.length > 1) {
    return new EventStoreDBConnection({ ...options, endpoints: hosts }, credentials, defaultCredentials);
  }
  return new EventStoreDBConnection({ ...options, endpoint: first }, credentials, defaultCredentials);
}
