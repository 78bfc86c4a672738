import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { vi } from 'vitest';
import { readModelCategories } from '../../contracts/events/index.ts';
import { type Projector, startProjector } from '../../projections/runner/projector.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import type { Application } from '../../services/api/application.ts';
import { assemble } from '../../services/api/assemble.ts';
import { createServer } from '../../services/api/server.ts';
import type { NoteVerifier } from '../../services/audit/tree/note.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import type { Trust } from '../../services/edge/proxies.ts';
import type { AliyunSms, Bucket } from '../../services/environment.ts';
import { openFileStore } from '../../services/files/open.ts';
import type { FollowingFault } from '../../services/log/following-fault.ts';
import type { Position } from '../../services/log/log.ts';
import { openLog } from '../../services/log/open.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { openSms } from '../../services/sms/open.ts';
import { silent } from './accounts.ts';
import { watchAnswers } from './answers.ts';
import { createDatabase } from './database.ts';
import { watchRefusals } from './refusals.ts';

/** The pair that signs, and that makes a server of its bearer. */
export const testApp = { id: 'test-app', key: 'test-key', secret: 'test-secret-of-the-app' } as const;

/** The headers of a request with the server's key. */
export const serverKey = { 'x-app-key': testApp.key, 'x-app-secret': testApp.secret } as const;

export interface ApplicationOptions {
  /** The clock of the API, in milliseconds since 1970. */
  readonly now?: () => number;
  /** The bus; by default in memory. It is closed with the application. */
  readonly bus?: Bus;
  /** The URL of the EventStoreDB that has the log, under a prefix of the application's own; by default Postgres has it. */
  readonly eventStoreUrl?: string | undefined;
  /** The store of uploads; by default `filesFolder`. */
  readonly bucket?: Bucket;
  /** The account that sends SMS; by default they go to the development inbox. */
  readonly aliyunSms?: AliyunSms;
  /** The proxies whose headers about the client are trusted; by default none. */
  readonly trust?: Trust;
  /** By whom heads of the audit log are signed; by default no key is known. */
  readonly auditVerifier?: NoteVerifier;
  /** The log of the API; by default nothing is logged. */
  readonly logger?: Logger;
}

/** The API without its sockets, with real log, projector, bus and HTTP. */
export interface RunningApplication {
  readonly application: Application;
  readonly bus: Bus;
  readonly projector: Projector;
  readonly databaseUrl: string;
  /** The folder of uploads. */
  readonly filesFolder: string;
  /** For `inject`; it listens as well, at `url`. */
  readonly server: FastifyInstance;
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  /** Resolves once the read models include the present end of the log, or a position. */
  shown(position?: Position): Promise<void>;
  /** Another application on the same database and bus, like another process. */
  another(): Promise<Application>;
  stop(): Promise<void>;
}

/** Starts the application on its own database, ready to serve. */
export async function startApplication(options: ApplicationOptions = {}): Promise<RunningApplication> {
  const database = await createDatabase();
  const { bus = memoryBus(silent) } = options;
  const filesFolder = await mkdtemp(join(tmpdir(), 'bubble-im-files-'));
  const stops = [
    () => rm(filesFolder, { recursive: true, force: true }),
    () => database.drop(),
    () => bus.close(),
  ];
  const stop = async () => {
    for (let end = stops.pop(); end; end = stops.pop()) await end();
  };
  try {
    let started: Projector | undefined;
    const readModelsFault = () => started?.fault;
    const application = await openProcess(database.url, filesFolder, bus, stops, options, readModelsFault);
    const { log, progress } = application;
    const projector = await startProjector({ log, database: database.url, bus, logger: silent });
    started = projector;
    stops.push(() => projector.stop());
    await vi.waitUntil(() => application.isReady(), { timeout: 20_000, interval: 5 });
    const server = await createServer(application, options.trust);
    watchRefusals(server, fail);
    watchAnswers(server, fail);
    stops.push(async () => server.close());
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    return {
      ...{ application, bus, projector, databaseUrl: database.url, filesFolder, server, url, stop },
      async shown(position) {
        if (await progress.reached(position ?? (await log.end(readModelCategories)), 20_000)) return;
        throw new Error(
          `the read models do not come up: ${projector.status().fault?.reason ?? 'no fault reported'}`,
        );
      },
      async another() {
        const other = await openProcess(database.url, filesFolder, bus, stops, options);
        await vi.waitUntil(() => other.isReady(), { timeout: 20_000, interval: 5 });
        return other;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Fails the run by an error that nobody awaits. */
function fail(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** What one process holds of its own: its connections, its log, its folded states. */
async function openProcess(
  databaseUrl: string,
  folder: string,
  bus: Bus,
  stops: (() => Promise<void>)[],
  { now, eventStoreUrl, bucket, aliyunSms, auditVerifier, logger = silent }: ApplicationOptions,
  readModelsFault: () => FollowingFault | undefined = () => undefined,
): Promise<Application> {
  const pool = createPool(databaseUrl, logger);
  stops.push(() => pool.end());
  // Every process of an application has the same folder.
  const streamPrefix = eventStoreUrl === undefined ? '' : `${basename(folder)}-`;
  const log = await openLog({ eventStoreUrl, streamPrefix }, databaseUrl, logger);
  stops.push(() => log.close());
  const fileStore = await openFileStore({ bucket }, join(folder, 'upload'), logger);
  stops.push(() => fileStore.close());
  const sms = openSms({ aliyunSms }, accountsDatabase(pool));
  const parts = { log, bus, pool, app: testApp, fileStore, folder, sms, logger, readModelsFault, fail };
  const { application, stop } = await assemble({
    ...parts,
    auditOrigin: auditVerifier?.name ?? 'bubble-im/test',
    auditVerifier: async () => auditVerifier,
  });
  stops.push(stop);
  return now ? { ...application, now } : application;
}
