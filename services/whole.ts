import { join } from 'node:path';
import { defaultSettings } from '../contracts/settings.ts';
import { cookieToken } from './api/caller.ts';
import { movingProbe } from './api/health.ts';
import { createServer } from './api/server.ts';
import { settingStream } from './domain/setting.ts';
import { trustOf } from './edge/proxies.ts';
import { tokenSessions } from './gateway/connections/sessions.ts';
import { createGateway } from './gateway/gateway.ts';
import type { Installation } from './installation.ts';
import type { Program } from './lifecycle.ts';
import { listen, serveGateway } from './listening.ts';
import {
  startApplication,
  startAuditing,
  startFoundation,
  startMetrics,
  startProjecting,
  startTracing,
} from './parts.ts';
import {
  apiProbes,
  auditorProbes,
  busProbes,
  filesProbes,
  projectorProbes,
  serveHealth,
  sharedProbes,
} from './readiness.ts';
import { welcome } from './welcome.ts';

/** Starts all parts in one process on its installation: log, projections, bus, gateway, API. */
export async function startWhole(
  program: Program,
  { databaseUrl, appKeys, dataFolder }: Installation,
): Promise<void> {
  const { environment, logger } = program;
  await startTracing(program);
  const app = { id: environment.appId, key: appKeys.key, secret: appKeys.secret };
  const foundation = await startFoundation(program, databaseUrl);
  const { bus, log, pool } = foundation;
  const projector = await startProjecting(program, { databaseUrl, ...foundation });
  const auditor = await startAuditing(program, { databaseUrl, log, projector });
  const parts = { ...foundation, app, projector, folder: join(dataFolder, 'files') };
  const api = await startApplication(program, parts);
  const { application, prepared } = api;
  const { store, tokens } = application;
  const settings = async () => (await store.load(settingStream)).state;
  const trust = trustOf(environment.trustProxy);
  const gateway = createGateway({
    ...{ bus, database: pool, app, logger, trust },
    settings: () => store.peek(settingStream) ?? defaultSettings,
    sessions: tokenSessions(tokens, settings),
    cookieToken: async (request) => cookieToken(request, await settings()),
  });
  await program.start(
    'gateway',
    () => gateway.start(),
    () => ({ stop: () => gateway.drain() }),
  );
  const metrics = await startMetrics(program, { ...foundation, gateway });
  const server = await createServer(application, trust, () => gateway.status().sockets);
  const needed = {
    ...sharedProbes(program, parts),
    ...apiProbes(parts, api),
    ...projectorProbes(projector),
    gateway: movingProbe(() => gateway.status().stalledMs),
  };
  serveHealth(server, metrics, needed, {
    ...busProbes(parts),
    ...filesProbes(api),
    ...auditorProbes(log, auditor),
  });
  await serveGateway(server, gateway);
  const address = await listen(program, server);
  // Not awaited: the program can be ended while the read models catch up.
  void prepared.then(() => {
    if (application.isReady()) process.stdout.write(welcome(environment, { address, appKeys, dataFolder }));
  });
}
