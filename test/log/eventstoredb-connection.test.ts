import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseConnectionString } from '@eventstore/db-client/dist/Client/parseConnectionString.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectionTo, serversOf } from '../../services/log/eventstoredb/connection.ts';
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

  it.each([
    'esdb://one',
    'esdb://127.0.0.1:2113?tls=false',
    'esdb://one.example-host:21?tls=true',
    'esdb://one:2113/?tls=false',
    'esdb://[::1]:2113',
    'esdb://one:2113,two?tls=false&nodePreference=follower',
    'esdb+discover://one?tlsCAFile=%2Fca.crt',
    'esdb://admin:a%40b@one:2113?tls=false',
    'esdb://one:port',
    'esdb://one?tls=no',
    'esdb:/one',
  ])('is to the servers that the client finds in %s', (url) => {
    const found = (read: () => unknown) => {
      try {
        return read();
      } catch (error) {
        return String(error);
      }
    };
    const wanted = found(() => {
      const { hosts, tls, tlsCAFile: authorityFile } = parseConnectionString(url);
      return { hosts, tls: tls !== false, authorityFile };
    });
    expect(found(() => serversOf(url))).toEqual(wanted);
  });

  it('to one server is made without the client', async () => {
    const made = `
      const { createRequire } = await import('node:module');
      const { connectionTo } = await import('./services/log/eventstoredb/connection.ts');
      const loaded = () => Object.keys(createRequire(process.cwd() + '/').cache).filter((file) => /grpc-js/.test(file)).length;
      connectionTo('esdb://127.0.0.1:2113?tls=false');
      const plain = loaded();
      connectionTo('esdb://one:2113,two:2113');
      console.log(JSON.stringify([plain, loaded() > 0]));`;
    const { stdout } = await promisify(execFile)('node', ['--input-type=module', '--eval', made]);
    expect(JSON.parse(stdout)).toEqual([0, true]);
  });

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
