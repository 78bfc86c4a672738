import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { AtEnd } from './at-end.ts';
import { freePort } from './free-port.ts';
import { isInstalled } from './installed.ts';

/** A NATS server of its own on a port of its own, which can be killed, frozen and started again. */
export interface NatsServer {
  readonly url: string;
  /** Begins to answer on the same port; settles when it does. */
  start(): Promise<void>;
  /** SIGKILL; settles when it is dead. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** A client of a server, as the server's monitoring describes it. */
const NatsClient = z.object({
  /** The number of the connection; it grows. */
  cid: z.int(),
  /** How many messages it has published. */
  in_msgs: z.int(),
  subscriptions_list: z.array(z.string()).default([]),
});
export type NatsClient = z.infer<typeof NatsClient>;

/** A server whose clients can be listed. */
export interface MonitoredNatsServer extends NatsServer {
  /** The connected clients, in the order in which they connected. */
  clients(): Promise<readonly NatsClient[]>;
}

/** Whether `nats-server` is on the PATH. */
export const natsServerIsInstalled = isInstalled('nats-server');

/** A server that is not started yet; `options` are arguments of its command line. */
export async function natsServer(...options: string[]): Promise<NatsServer> {
  const port = await freePort();
  let server: ChildProcess | undefined;
  return {
    url: `nats://127.0.0.1:${port}`,
    async start() {
      server = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), ...options], { stdio: 'ignore' });
      while (!(await answers(port))) await delay(10);
    },
    async kill() {
      if (server?.exitCode !== null || server.signalCode !== null) return;
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
  };
}

/** A server that is not started yet, and lists its clients; `options` are arguments of its command line. */
export async function monitoredNatsServer(...options: string[]): Promise<MonitoredNatsServer> {
  const port = await freePort();
  return {
    ...(await natsServer('-m', String(port), ...options)),
    async clients() {
      const answer = await fetch(`http://127.0.0.1:${port}/connz?subs=1`);
      const { connections } = z.object({ connections: z.array(NatsClient) }).parse(await answer.json());
      return connections.sort((one, other) => one.cid - other.cid);
    },
  };
}

/** Three servers of one cluster, which run and are killed at the end. */
export async function natsCluster(atEnd: AtEnd): Promise<readonly MonitoredNatsServer[]> {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const routes = ports.map((port) => `nats-route://127.0.0.1:${port}`).join(',');
  const servers = await Promise.all(
    ports.map((port) => {
      const options = [
        '--cluster',
        `nats://127.0.0.1:${port}`,
        '--routes',
        routes,
        '--cluster_name',
        'bubble',
      ];
      return monitoredNatsServer(...options);
    }),
  );
  for (const server of servers) {
    atEnd(() => server.kill());
    await server.start();
  }
  return servers;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
