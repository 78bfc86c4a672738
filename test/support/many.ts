import { randomUUID } from 'node:crypto';
import PusherServer from 'pusher';
import { onTestFinished } from 'vitest';
import { workingProjectorPid } from '../../scripts/bench/working-projector.ts';
import { app } from '../gateway/harness.ts';
import type { AtEnd } from './at-end.ts';
import { createDatabase } from './database.ts';
import { temporaryFolder } from './folder.ts';
import type { NatsServer } from './nats.ts';
import { type RunningProgram, startProgram } from './process.ts';
import { type Callable, callableAt, type Standalone, startStandalone } from './standalone.ts';

/** What several processes of one installation have in common: their environment. */
export interface SharedEnvironment extends Record<string, string> {
  readonly DATABASE_URL: string;
  readonly NATS_URL: string;
  readonly APP_ID: string;
  readonly APP_KEY: string;
  readonly APP_SECRET: string;
}

/** A gateway that was started as `npm run gateway` does. */
export interface LoneGateway {
  readonly program: RunningProgram;
  readonly port: number;
}

/**
 * An installation's environment: a database of its own, and subjects of its own on the NATS server.
 * What is started on it is gone, in reverse order, when the test ends, or with what `atEnd` takes.
 */
export async function shareEnvironment(
  nats: NatsServer,
  atEnd: AtEnd = onTestFinished,
): Promise<SharedEnvironment> {
  const database = await createDatabase();
  atEnd(() => database.drop());
  const eventStoreUrl = process.env.EVENTSTORE_URL;
  return {
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    APP_ID: `many-${randomUUID()}`,
    APP_KEY: app.key,
    APP_SECRET: app.secret,
    ...(eventStoreUrl ? { EVENTSTORE_URL: eventStoreUrl } : {}),
  };
}

/** Starts services/standalone.ts beside others; it is gone at the end. */
export async function startApi(
  shared: SharedEnvironment,
  atEnd: AtEnd = onTestFinished,
): Promise<Standalone> {
  return startStandalone(await temporaryFolder(atEnd), shared, atEnd);
}

/** Starts services/gateway.ts beside others; it is gone at the end. */
export async function startGateway(
  shared: SharedEnvironment,
  atEnd: AtEnd = onTestFinished,
): Promise<LoneGateway> {
  const all = { PORT: '0', LOG_LEVEL: 'warn', ...shared };
  const program = startProgram('services/gateway.ts', [], all, atEnd);
  atEnd(() => kill({ program }));
  const line = await program.line(/gateway runs/);
  return { program, port: Number(/:(\d+)\/app/.exec(line)?.[1]) };
}

/** A program that was started as `npm run api`, `npm run projector` or `npm run auditor` does. */
export interface LoneProgram extends Callable {
  readonly program: RunningProgram;
}

/** Starts services/api.ts, services/projector.ts or services/auditor.ts beside others; it is gone at the end. */
export async function startAlone(
  name: 'api' | 'projector' | 'auditor',
  shared: SharedEnvironment,
  environment: Readonly<Record<string, string>> = {},
  atEnd: AtEnd = onTestFinished,
): Promise<LoneProgram> {
  const all = { PORT: '0', LOG_LEVEL: 'warn', ...shared, ...environment };
  const program = startProgram(`services/${name}.ts`, [], all, atEnd);
  atEnd(() => kill({ program }));
  const line = await program.line(/runs: http/);
  const url = /http:\/\/[^/]+/.exec(line)?.[0] ?? '';
  return { program, ...callableAt(url, shared.APP_KEY, shared.APP_SECRET) };
}

/** SIGKILL; settles when the process is gone. */
export async function kill({ program }: { readonly program: RunningProgram }): Promise<void> {
  program.signal('SIGKILL');
  await program.ended;
}

/** The pid of the program whose projector works. */
export const projectingPid = ({ DATABASE_URL }: SharedEnvironment) => workingProjectorPid(DATABASE_URL);

/** Pusher's server library, as another backend uses it against one of the processes. */
export function pusherServer(
  { APP_ID: appId, APP_KEY: key, APP_SECRET: secret }: SharedEnvironment,
  port: number,
): PusherServer {
  return new PusherServer({ appId, key, secret, host: '127.0.0.1', port: String(port) });
}
