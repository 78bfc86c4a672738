import { describe, expect, it, onTestFinished } from 'vitest';
import { connectionTo } from '../../services/log/eventstoredb/connection.ts';
import type { GrpcFailure } from '../../services/log/eventstoredb/grpc-failure.ts';
import { subscriptionRequest } from '../../services/log/eventstoredb/read-request.ts';
import { DoubleCluster } from '../support/eventstoredb-double-cluster.ts';

describe('a connection to EventStoreDB', () => {
  it.each(['esdb://127.0.0.1:2113', 'esdb://one:2113,192.0.2.1:2113?tls=true', 'esdb+discover://192.0.2.1'])(
    'needs host names with TLS: %s',
    (url) => {
      expect(() => connectionTo(url)).toThrow('EVENTSTORE_URL must name hosts by name');
    },
  );

  it.each(['esdb://127.0.0.1:2113?tls=false', 'esdb://one:2113,two:2113', 'kurrentdb+discover://one'])(
    'is made from its connection string: %s',
    (url) => {
      expect(() => connectionTo(url)).not.toThrow();
    },
  );

  it('that breaks while no other one can be opened fails its own calls and those that wait, and nothing else', async () => {
    const cluster = await DoubleCluster.start(onTestFinished);
    const connection = connectionTo(cluster.url);
    const request = subscriptionRequest(undefined, { by: 'stream', names: { prefixes: ['any-'] } });
    const follow = () => {
      const { promise: ended, resolve } = Promise.withResolvers<GrpcFailure | undefined>();
      const opened = connection.openRead(
        request,
        { requiresLeader: false },
        { message: () => undefined, ended: resolve },
      );
      return { opened, ended };
    };
    const first = follow();
    await first.opened;
    for (const number of [0, 1, 2]) cluster.kill(number);
    const abandoned = connection.abandon();
    const second = follow();
    await expect(second.opened).rejects.toThrow('Failed to discover');
    expect(await first.ended).toMatchObject({ endsConnection: true });
    await abandoned;
  });
});
