import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AtEnd } from './at-end.ts';

/** The address of a server: a port, or a unix socket. */
export type Target = { readonly port: number; readonly host?: string } | { readonly path: string };

/** A proxy in front of a server that can fail like a network. */
export interface NetworkProxy {
  readonly port: number;
  /** The number of present connections. */
  readonly connections: number;
  /**
   * Present connections transport nothing any more and stay open, as when a host is lost or a load balancer drops
   * idle flows; new ones work. Data sent over the old ones are acknowledged and lost, and neither side is
   * notified when the other closes.
   * @param numbers which connections, from 0 in the order in which they were opened; by default all
   */
  freeze(...numbers: readonly number[]): void;
  /** While it is on, nothing is transported, also by new connections; data sent meanwhile are lost. */
  discard(on: boolean): void;
  /** While it is on, connections are closed, as if the server were down. */
  refuse(on: boolean): void;
  /** Closes all present connections. */
  cut(): void;
  /** Connects new ones to another server; present ones stay. */
  lead(target: Target): void;
  /** Does so, and closes all present ones. */
  redirect(target: Target): void;
}

/** Starts a proxy. It is stopped when the test ends, or by the function that `atEnd` gets. */
export async function startProxy(target: Target, atEnd: AtEnd = onTestFinished): Promise<NetworkProxy> {
  const pairs = new Set<Pair>();
  let towards = target;
  let discards = false;
  let refuses = false;
  const server = createServer((near) => {
    if (refuses) {
      near.destroy();
      return;
    }
    const pair: Pair = { near, far: connect(towards), frozen: false };
    pairs.add(pair);
    for (const [from, to] of [
      [pair.near, pair.far],
      [pair.far, pair.near],
    ] as const) {
      from.on('data', (data) => {
        if (!discards && !pair.frozen) to.write(data);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        if (pair.frozen || discards) return;
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
    discard(on) {
      discards = on;
    },
    refuse(on) {
      refuses = on;
      if (on) cut();
    },
    cut,
    lead(other) {
      towards = other;
    },
    redirect(other) {
      towards = other;
      cut();
    },
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
