import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import type shared from '@eventstore/db-client/generated/shared_pb.js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { Certificate } from './certificates.ts';
import {
  type DoubleRecord,
  DoubleStore,
  eventOf,
  failure,
  identifierOf,
  nameOf,
} from './eventstoredb-double-store.ts';

type AppendRequest = InstanceType<typeof streams.BatchAppendReq>;
type AppendResponse = InstanceType<typeof streams.BatchAppendResp>;
type ReadRequest = InstanceType<typeof streams.ReadReq>;
type ReadResponse = InstanceType<typeof streams.ReadResp>;
type AppendCall = ServerDuplexStream<AppendRequest, AppendResponse>;
type ReadCall = ServerWritableStream<ReadRequest, ReadResponse>;
type GossipCall = ServerUnaryCall<InstanceType<typeof shared.Empty>, InstanceType<typeof gossip.ClusterInfo>>;
type GossipAnswer = sendUnaryData<InstanceType<typeof gossip.ClusterInfo>>;

/** What is done instead of answering an append. */
export type Fault =
  /** Taken, and then the connection breaks. */
  | 'break after storing'
  /** The same, by a restart: what the server remembers of late ids is gone. */
  | 'restart after storing'
  /** Neither stored nor answered, like a repeat of an append that is not replicated yet. */
  | 'drop'
  | 'not ready'
  | { readonly notLeader: { readonly port: number } };

/** A node of a cluster, as the others describe it. */
export interface DoubleMember {
  readonly port: number;
  readonly leads: boolean;
}

/** The events that may wait for a live subscriber, as in 23.10. */
const liveBuffer = 32;

/**
 * A double of EventStoreDB 23.10, with the service definitions of its client: appends, reads, subscriptions, and the
 * failures that were seen on a real one. It tests our reactions, not the behaviour of EventStoreDB.
 */
export class EventStoreDBDouble {
  readonly store: DoubleStore;
  /** The nodes of its cluster that are alive; undefined if it is alone. Calls that need the leader are refused by others. */
  members: (() => readonly DoubleMember[]) | undefined;
  /** Whether a subscription from beyond the end waits silently instead of failing; 23.10 does either. */
  waitsBeyondEnd = false;
  /** The faults of the next appends, in order. */
  readonly faults: Fault[] = [];
  /** The numbers of events of history after which the next subscriptions are ended, in order. */
  readonly cuts: number[] = [];
  /** Whether it has lost the other nodes of its cluster: it gets no new events, and knows no leader. */
  isolated = false;
  /** How many appends arrived, including repeats. */
  appendsSeen = 0;
  /** How many reads arrived that are no subscriptions. */
  readsSeen = 0;
  /** How many subscriptions were ended because their reader lagged. */
  drops = 0;
  port = 0;
  readonly #subscribers = new Set<(record: DoubleRecord) => void>();
  #server = new Server();
  #thawed = Promise.withResolvers<void>();

  readonly #credentials: ServerCredentials;

  /** With a certificate it speaks TLS; the nodes of a cluster have one store. */
  constructor(certificate?: Certificate, store = new DoubleStore()) {
    this.store = store;
    store.onStored((record) => {
      if (!this.isolated) for (const notify of this.#subscribers) notify(record);
    });
    this.#thawed.resolve();
    this.#credentials = certificate
      ? ServerCredentials.createSsl(null, [
          {
            cert_chain: readFileSync(certificate.certificate),
            private_key: readFileSync(certificate.key),
          },
        ])
      : ServerCredentials.createInsecure();
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  /** Listens, on the port that it had before if it had one. */
  async start(): Promise<void> {
    this.#server = new Server();
    this.#server.addService(StreamsService, {
      read: (call: ReadCall) => void this.#read(call),
      batchAppend: (call: AppendCall) => {
        call.on('data', (request: AppendRequest) => void this.#append(call, request));
        call.on('error', () => undefined);
        call.on('end', () => call.end());
      },
    });
    this.#server.addService(GossipService, {
      read: async (_call: GossipCall, answer: GossipAnswer) => {
        await this.#thawed.promise;
        answer(null, clusterOf(this.members?.() ?? []));
      },
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.bindAsync(`127.0.0.1:${this.port}`, this.#credentials, (error, port) =>
      error ? reject(error) : resolve(port),
    );
    this.port = await promise;
  }

  /** Breaks all connections and listens no more; what is stored stays. */
  kill(): void {
    this.#server.forceShutdown();
    this.#subscribers.clear();
    this.store.forgetRecentIds();
    this.thaw();
  }

  /** From now on it takes connections and answers nothing. */
  freeze(): void {
    this.#thawed = Promise.withResolvers<void>();
  }

  /** Goes on with what came meanwhile. */
  thaw(): void {
    this.#thawed.resolve();
  }

  async #append(call: AppendCall, request: AppendRequest): Promise<void> {
    await this.#thawed.promise;
    this.appendsSeen++;
    const fault = this.faults.shift();
    if (fault === 'drop') return;
    if (typeof fault === 'object') {
      call.emit('error', notLeader(fault.notLeader));
      return;
    }
    if (this.#refusesForLeader(call)) return;
    const answer =
      fault === 'not ready'
        ? failure('Server Is Not Ready', 'google.protobuf.Empty')
        : this.store.append(request);
    if (fault === 'restart after storing') this.store.forgetRecentIds();
    if (fault === 'break after storing' || fault === 'restart after storing') {
      call.emit('error', { code: status.UNAVAILABLE, details: 'the connection broke' });
      return;
    }
    const identifier = request.getOptions()?.getStreamIdentifier();
    call.write(answer.setCorrelationId(request.getCorrelationId()).setStreamIdentifier(identifier));
  }

  async #read(call: ReadCall): Promise<void> {
    await this.#thawed.promise;
    call.on('error', () => undefined);
    if (this.#refusesForLeader(call)) return;
    const options = call.request.getOptions();
    if (options?.hasSubscription()) return this.#subscribe(call);
    this.readsSeen++;
    const all = options?.getAll();
    const backwards = options?.getReadDirection() === 1;
    const from = all?.hasPosition()
      ? Number(all.getPosition()?.getCommitPosition())
      : Number(options?.getStream()?.hasRevision() ? options.getStream()?.getRevision() : Number.NaN);
    const name = nameOf(options?.getStream()?.getStreamIdentifier());
    const records = all ? this.store.records : this.store.stream(name);
    if (!all && records.length === 0) {
      const missing = new streams.ReadResp.StreamNotFound();
      missing.setStreamIdentifier(identifierOf(name));
      call.write(new streams.ReadResp().setStreamNotFound(missing));
      call.end();
      return;
    }
    const place = (record: DoubleRecord) => (all ? record.position : record.revision);
    const wanted = records.filter((record) =>
      Number.isNaN(from) ? true : backwards ? place(record) <= from : place(record) >= from,
    );
    if (backwards) wanted.reverse();
    const page = wanted.slice(0, Number(options?.getCount()));
    if (!all && page.some(({ revision }, index) => Math.abs(revision - (page[0]?.revision ?? 0)) !== index)) {
      call.emit('error', { code: status.UNKNOWN, details: 'Unexpected ReadStreamResult: Error' });
      return;
    }
    for (const record of page) await this.#send(call, eventOf(record));
    call.end();
  }

  /** Refuses a call that needs the leader if this node is a follower, and names the leader if there is one. */
  #refusesForLeader(call: AppendCall | ReadCall): boolean {
    const members = this.members?.();
    if (members === undefined || call.metadata.get('requires-leader')[0] !== 'true') return false;
    const leader = members.find(({ leads }) => leads);
    if (leader?.port === this.port) return false;
    call.emit(
      'error',
      leader ? notLeader(leader) : { code: status.UNAVAILABLE, details: 'Server Is Not Ready' },
    );
    return true;
  }

  async #subscribe(call: ReadCall): Promise<void> {
    const options = call.request.getOptions();
    const filter = options?.getFilter()?.getStreamIdentifier();
    const prefixes = filter?.getPrefixList() ?? [];
    const types = options?.getFilter()?.getEventType()?.getPrefixList();
    const matches = ({ stream, proposal }: DoubleRecord) =>
      types
        ? types.some((type) => proposal.getMetadataMap().get('type')?.startsWith(type))
        : prefixes.length === 0
          ? !stream.startsWith('$')
          : prefixes.some((prefix) => stream.startsWith(prefix));
    const after = Number(options?.getAll()?.getPosition()?.getCommitPosition() ?? -1);
    if (after > (this.store.records.at(-1)?.position ?? 0) && !this.waitsBeyondEnd) {
      call.emit('error', { code: status.UNKNOWN, details: 'Exception was thrown by handler.' });
      return;
    }
    call.write(new streams.ReadResp().setConfirmation(new streams.ReadResp.SubscriptionConfirmation()));
    const cut = this.cuts.shift();
    let next = this.store.records.findIndex(({ position }) => position > after);
    if (next < 0) next = this.store.records.length;
    for (let sent = 0; next < this.store.records.length && !call.cancelled; next++) {
      if (sent === cut) return this.#drop(call);
      const record = this.store.records[next];
      if (!record || !matches(record)) continue;
      await this.#send(call, eventOf(record));
      sent++;
    }
    const waiting: DoubleRecord[] = [];
    const sendOn = () => {
      const record = waiting.shift();
      if (record && !call.cancelled) call.write(eventOf(record));
      if (waiting.length > 0) setImmediate(sendOn);
    };
    const notify = (record: DoubleRecord) => {
      if (!matches(record)) return;
      if (waiting.push(record) === 1) setImmediate(sendOn);
      if (waiting.length <= liveBuffer) return;
      waiting.length = 0;
      this.#subscribers.delete(notify);
      this.#drop(call);
    };
    this.#subscribers.add(notify);
    call.on('cancelled', () => this.#subscribers.delete(notify));
    call.write(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));
  }

  #drop(call: ReadCall): void {
    this.drops++;
    call.emit('error', { code: status.ABORTED, details: 'Consumer too slow to handle event while live' });
  }

  async #send(call: ReadCall, response: ReadResponse): Promise<void> {
    await this.#thawed.promise;
    if (call.cancelled || call.write(response)) return;
    const over = new AbortController();
    const drained = once(call, 'drain', over).catch(() => undefined);
    await Promise.race([drained, once(call, 'cancelled', over).catch(() => undefined)]);
    over.abort();
  }
}

function notLeader(leader: { readonly port: number }) {
  const metadata = new Metadata();
  metadata.set('exception', 'not-leader');
  metadata.set('leader-endpoint-host', '127.0.0.1');
  metadata.set('leader-endpoint-port', String(leader.port));
  return { code: status.NOT_FOUND, details: 'Leader info available', metadata };
}

function clusterOf(members: readonly DoubleMember[]): InstanceType<typeof gossip.ClusterInfo> {
  const { FOLLOWER, LEADER } = gossip.MemberInfo.VNodeState;
  return new gossip.ClusterInfo().setMembersList(
    members.map(({ port, leads }) => {
      const address = new gossip.EndPoint().setAddress('127.0.0.1').setPort(port);
      const member = new gossip.MemberInfo().setIsAlive(true).setState(leads ? LEADER : FOLLOWER);
      return member.setTimeStamp('0').setHttpEndPoint(address);
    }),
  );
}
