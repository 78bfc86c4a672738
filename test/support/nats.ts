import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';

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

/** Whether `nats-server` is on the PATH. */
export const natsServerIsInstalled = ((): boolean => {
  try {
    execFileSync('nats-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

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
