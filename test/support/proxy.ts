import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AtEnd } from './at-end.ts';

/** Where a server listens: on a port of this machine, or on a unix socket. */
export type Target = { readonly port: number; readonly host?: string } | { readonly path: string };

/** A way to a server that can fail as networks do. */
export interface NetworkProxy {
  readonly port: number;
  /** How many connections go through it now. */
  readonly connections: number;
  /**
   * The connections there are carry nothing any more and stay open, as after a host is lost or a load
   * balancer dropped idle flows; new ones work. What is sent over the old ones is acknowledged and lost,
   * and neither side learns that the other has closed.
   * @param numbers which of those there are, from 0 in the order in which they were opened; all by default
   */
  freeze(...numbers: readonly number[]): void;
  /** While it is on, nothing is carried, by new connections neither; what came meanwhile is lost. */
  swallow(on: boolean): void;
  /** While it is on, connections are closed, new ones at once, as by a server that is down. */
  refuse(on: boolean): void;
  /** Closes all connections that there are. */
  cut(): void;
}

/** Starts a proxy; it is gone when the test ends, or with what `atEnd` takes. */
export async function startProxy(target: Target, atEnd: AtEnd = onTestFinished): Promise<NetworkProxy> {
  const pairs = new Set<Pair>();
  let swallows = false;
  let refuses = false;
  const server = createServer((near) => {
    if (refuses) {
      near.destroy();
      return;
    }
    const pair: Pair = { near, far: connect(target), frozen: false };
    pairs.add(pair);
    for (const [from, to] of [
      [pair.near, pair.far],
      [pair.far, pair.near],
    ] as const) {
      from.on('data', (data) => {
        if (!swallows && !pair.frozen) to.write(data);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        if (pair.frozen || swallows) return;
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  const cut = () => {
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
    pairs.clear();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  atEnd(() => {
    server.close();
    cut();
  });
  return {
    port: address.port,
    get connections() {
      return pairs.size;
    },
    freeze(...numbers) {
      for (const [number, pair] of [...pairs].entries()) {
        if (numbers.length === 0 || numbers.includes(number)) pair.frozen = true;
      }
    },
    swallow(on) {
      swallows = on;
    },
    refuse(on) {
      refuses = on;
      if (on) cut();
    },
    cut,
  };
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  frozen: boolean;
}

/** A proxy before a database, and how to connect through it. */
export async function startDatabaseProxy(
  databaseUrl: string,
  atEnd?: AtEnd,
): Promise<NetworkProxy & { readonly url: string }> {
  const url = new URL(databaseUrl);
  const folder = url.searchParams.get('host');
  const port = Number(url.port || 5432);
  const target = folder ? { path: `${folder}/.s.PGSQL.${port}` } : { port, host: url.hostname };
  const proxy = await startProxy(target, atEnd);
  url.searchParams.delete('host');
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  return Object.assign(proxy, { url: url.href });
}
