import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { workingProjectorPid } from './working-projector.ts';

/** An installation of several processes on one Postgres and one NATS server, all on this machine. */
export interface Several {
  readonly key: string;
  readonly secret: string;
  readonly apiPorts: readonly number[];
  readonly gatewayPorts: readonly number[];
  /** Sends SIGKILL to the projector that works. */
  killProjector(): Promise<void>;
  /** Starts another projector. */
  startProjector(): Promise<void>;
  stop(): Promise<void>;
}

type Name = 'api' | 'gateway' | 'projector';

const services = join(import.meta.dirname, '../../services');

/**
 * Starts two APIs, two gateways and two projectors in a temporary folder.
 * @param natsPort where the NATS server listens
 */
export async function startSeveral(natsPort: number): Promise<Several> {
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
  const ends: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    const postgres = await startEmbeddedPostgres({
      folder: join(folder, 'postgres'),
      logger: pino({ level: 'silent' }),
      settings: { max_connections: '300' },
    });
    ends.push(() => postgres.stop());
    const nats = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(natsPort)], { stdio: 'ignore' });
    await once(nats, 'spawn');
    ends.push(() => end(nats, 'SIGKILL'));
    const [key, secret] = ['bench', randomBytes(16).toString('hex')];
    const environment = {
      ...{ DATABASE_URL: postgres.url, NATS_URL: `nats://127.0.0.1:${natsPort}`, DATA_DIR: folder },
      ...{ APP_KEY: key, APP_SECRET: secret, PORT: '0', LOG_LEVEL: 'error' },
    };
    const start = async (name: Name) => {
      const { child, port } = await startService(name, environment);
      ends.push(() => end(child, 'SIGTERM'));
      return port;
    };
    // The first program of an installation makes its tables.
    await start('projector');
    await start('projector');
    const apiPorts = [await start('api'), await start('api')];
    const gatewayPorts = [await start('gateway'), await start('gateway')];
    return {
      ...{ key, secret, apiPorts, gatewayPorts, stop },
      killProjector: async () => void process.kill(await workingProjectorPid(postgres.url), 'SIGKILL'),
      startProjector: async () => void (await start('projector')),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts a program and waits until it says where it listens. */
async function startService(name: Name, environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [join(services, `${name}.ts`)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /:(\d+)\//.exec(line)?.[1];
    if (port !== undefined) return { child, port: Number(port) };
  }
  throw new Error(`the ${name} did not start`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
