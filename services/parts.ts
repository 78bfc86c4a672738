import { join } from 'node:path';
import type pg from 'pg';
import { readModelsVersion } from '../projections/rebuild/version.ts';
import { adoptEmpty, VersionUpkeep } from '../projections/rebuild/version-upkeep.ts';
import { type Projector, startProjector } from '../projections/runner/projector.ts';
import { accountsDatabase } from './accounts/accounts-tables.ts';
import { type Assembled, assemble } from './api/assemble.ts';
import { createHttp } from './api/http.ts';
import { createLag } from './api/lag.ts';
import type { App } from './app-keys/signature.ts';
import { type Auditor, startAuditor } from './audit/auditor.ts';
import { findAuditVerifier, loadAuditSigner } from './audit/tree/audit-key.ts';
import type { HeadSigning } from './audit/tree/head-signing.ts';
import { startHeadSigning } from './audit/tree/start-head-signing.ts';
import type { Bus } from './bus/bus.ts';
import { openBus } from './bus/open.ts';
import { identify } from './edge/identify.ts';
import { type Environment, EnvironmentError } from './environment.ts';
import type { FileStore } from './files/file-store.ts';
import { openFileStore } from './files/open.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { Program } from './lifecycle.ts';
import { listen, metricsVariables } from './listening.ts';
import type { EventLog } from './log/log.ts';
import { openLog } from './log/open.ts';
import type { Metrics } from './metrics/metrics.ts';
import { Outage } from './postgres/outage.ts';
import { createPool } from './postgres/pool.ts';
import { readCheckpoint } from './queries/checkpoint.ts';
import { ReadModelsFault } from './queries/read-models-fault.ts';
import { readDatabase } from './queries/tables.ts';
import { openSms } from './sms/open.ts';

/*
 * The parts of which the programs in this folder are made, each started once in the order that the program gives.
 */

/** What the programs of one installation share. */
export interface Shared {
  readonly databaseUrl: string;
  readonly app: App;
}

/**
 * What a program that is not the whole installation shares with the others.
 * @param name of the program, for the error
 * @throws EnvironmentError if the environment does not name it
 */
export function sharedBy(name: string, { databaseUrl, natsUrl, appId: id, appKeys }: Environment): Shared {
  if (databaseUrl === undefined || natsUrl === undefined || appKeys === undefined) {
    throw new EnvironmentError(`${name} alone needs DATABASE_URL, NATS_URL, APP_KEY and APP_SECRET`);
  }
  return { databaseUrl, app: { id, ...appKeys } };
}

/** Connections to the database, and the log's record of its outages. */
export async function startPool(program: Program, databaseUrl: string): Promise<pg.Pool> {
  const { logger, leaveOut } = program;
  await program.start(
    'outage',
    async () => new Outage({ databaseUrl, logger, leaveOut }),
    (part) => ({ stop: async () => part.stop() }),
  );
  return program.start(
    'database pool',
    async () => createPool(databaseUrl, logger),
    (part) => ({ stop: () => part.end() }),
  );
}

export function startLog(program: Program, databaseUrl: string): Promise<EventLog> {
  return program.start(
    'log',
    () => openLog(program.environment, databaseUrl, program.logger),
    (part) => ({ stop: () => part.close() }),
  );
}

/** What every program works with that has the log. */
export interface Foundation {
  readonly log: EventLog;
  readonly bus: Bus;
  readonly pool: pg.Pool;
}

/** The pool, the log, and the bus of the installation to which both belong. */
export async function startFoundation(program: Program, databaseUrl: string): Promise<Foundation> {
  const pool = await startPool(program, databaseUrl);
  const log = await startLog(program, databaseUrl);
  const { installation } = await identify(log, pool);
  return { pool, log, bus: await startBus(program, installation) };
}

export function startBus(program: Program, installation: string): Promise<Bus> {
  return program.start(
    'bus',
    () => openBus(program.environment, installation, program.logger),
    (part) => ({ stop: () => part.close() }),
  );
}

/**
 * Makes the read models, or stands by while another process does; makes them again if what makes them has changed since
 * they were made.
 */
export async function startProjecting(
  program: Program,
  {
    databaseUrl: database,
    log,
    bus,
  }: { readonly databaseUrl: string; readonly log: EventLog; readonly bus: Bus },
): Promise<Projector> {
  const { logger } = program;
  const version = await readModelsVersion();
  const projector = await program.start(
    'projector',
    async () => {
      await adoptEmpty({ database, version });
      return startProjector({ log, database, bus, logger });
    },
    (part) => ({ stop: () => part.stop() }),
  );
  const upkeep = new VersionUpkeep({ log, database, logger, version });
  await program.start(
    'rebuild',
    async () => upkeep.start(),
    () => ({ stop: () => upkeep.stop() }),
  );
  return projector;
}

/** What keeps the audit of the log. */
export interface Auditing {
  readonly auditor: Auditor;
  readonly heads: HeadSigning;
}

/**
 * Keeps the index of the log and its Merkle tree, whose heads it signs, or stands by while another process does.
 * @param parts `projector`: the program's own, if it has one
 * @returns undefined if AUDIT is off
 */
export async function startAuditing(
  program: Program,
  {
    databaseUrl,
    log,
    projector,
  }: { readonly databaseUrl: string; readonly log: EventLog; readonly projector?: Projector },
): Promise<Auditing | undefined> {
  const { environment, logger } = program;
  if (!environment.audit) return undefined;
  const signer = await loadAuditSigner(environment);
  const auditor = await program.start(
    'auditor',
    () => startAuditor({ log, database: databaseUrl, logger, preferred: projector }),
    (part) => ({ stop: () => part.stop() }),
  );
  const heads = await program.start(
    'audit heads',
    () => startHeadSigning({ environment, log, databaseUrl, signer, logger }),
    (part) => ({ stop: () => part.stop() }),
  );
  return { auditor, heads: heads.signing };
}

/** What the API works with. */
export interface ApiParts extends Foundation {
  readonly app: App;
  /** The folder of uploads and of what is made of them. */
  readonly folder: string;
  /** The projector of this process, if it has one. */
  readonly projector?: Projector;
}

/** The API without a server. */
export interface StartedApi extends Assembled {
  readonly fileStore: FileStore;
}

export async function startApplication(program: Program, parts: ApiParts): Promise<StartedApi> {
  const { environment, logger } = program;
  const { log, bus, pool, app, folder, projector } = parts;
  const fileStore = await program.start(
    'files',
    () => openFileStore(environment, join(folder, 'upload'), logger),
    (part) => ({ stop: () => part.close() }),
  );
  const sms = openSms(environment, accountsDatabase(pool));
  const recorded = await program.start(
    'fault of the read models',
    () => ReadModelsFault.open({ database: readDatabase(pool), logger }),
    (part) => ({ stop: () => part.stop() }),
  );
  const assembled = await program.start(
    'api',
    () =>
      assemble({
        ...{ log, bus, pool, app, fileStore, folder, sms, logger },
        auditOrigin: environment.auditOrigin,
        auditVerifier: () => findAuditVerifier(environment),
        readModelsFault: () => projector?.fault ?? recorded.fault,
        fail: (error) => program.fail('api', error),
      }),
    (part) => ({ stop: part.stop }),
  );
  return { ...assembled, fileStore };
}

/** Sends traces, if a collector is given. To be started before what it traces: it sends the last spans at the end. */
export async function startTracing(program: Program): Promise<void> {
  const { tracing } = program.environment;
  if (tracing === undefined) return;
  await program.start(
    'traces',
    async () => {
      // Loaded here, so that programs that trace nothing do not pay for it.
      const { startTraces } = await import('./traces/traces.ts');
      return startTraces(tracing, program.logger);
    },
    (part) => ({ stop: () => part.stop() }),
  );
}

/** What a program shows of its parts at `/metrics`. */
export interface ShownParts {
  readonly pool: pg.Pool;
  readonly bus?: Bus;
  readonly log?: EventLog;
  readonly gateway?: Gateway;
}

/**
 * Serves `/metrics` on `METRICS_HOST` and `METRICS_PORT`. To be started before what it counts.
 * @returns where more can be shown; undefined if these variables are not given
 */
export async function startMetrics(
  program: Program,
  { bus, pool, log, gateway }: ShownParts,
): Promise<Metrics | undefined> {
  const { metrics: address } = program.environment;
  if (address === undefined) return undefined;
  const { createMetrics } = await import('./metrics/metrics.ts');
  const { showBus, showDatabase, showFollowers, showGateway } = await import('./metrics/figures.ts');
  const metrics = await program.start(
    'metrics',
    async () => createMetrics(),
    (part) => ({ stop: async () => part.stop() }),
  );
  showDatabase(metrics, pool);
  if (bus !== undefined) showBus(metrics, bus);
  if (log !== undefined) {
    const database = readDatabase(pool);
    const lagAt = createLag(log);
    showFollowers(metrics, database, log, async () => lagAt((await readCheckpoint(database)).checkpoint));
  }
  if (gateway !== undefined) showGateway(metrics, gateway);
  const server = await createHttp(program.logger);
  server.get('/metrics', async (_request, reply) => {
    const { type, text } = await metrics.show();
    return reply.type(type).send(text);
  });
  const url = await listen(program, server, { ...address, variables: metricsVariables });
  program.logger.info({ url: `${url}/metrics` }, 'metrics are served');
  return metrics;
}
