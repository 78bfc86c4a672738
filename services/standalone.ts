import { join } from 'node:path';
import { defaultSettings } from '../contracts/settings.ts';
import { startProjector } from '../projections/runner/projector.ts';
import { accountsDatabase } from './accounts/tables.ts';
import { assemble } from './api/assemble.ts';
import { cookieToken } from './api/caller.ts';
import {
  busProbe,
  commandsProbe,
  databaseProbe,
  filesProbe,
  healthRoutes,
  logProbe,
  movingProbe,
  projectionsProbe,
} from './api/health.ts';
import { createServer } from './api/server.ts';
import { openBus } from './bus/open.ts';
import { settingStream } from './domain/setting.ts';
import { identify } from './edge/identify.ts';
import { trustOf } from './edge/proxies.ts';
import { openFileStore } from './files/open.ts';
import { tokenSessions } from './gateway/connections/sessions.ts';
import { createGateway } from './gateway/gateway.ts';
import { openInstallation } from './installation.ts';
import { type Program, runProgram } from './lifecycle.ts';
import { listen, serveGateway } from './listening.ts';
import { openLog } from './log/open.ts';
import { Outage } from './postgres/outage.ts';
import { createPool } from './postgres/pool.ts';
import { openSms } from './sms/open.ts';
import { welcome } from './welcome.ts';

/** The whole of bubble-im in one process: log, projections, bus, gateway, API (`npm start`). */
async function start(program: Program): Promise<void> {
  const { environment, logger } = program;
  const { databaseUrl, appKeys, dataFolder } = await openInstallation(program);
  const app = { id: environment.appId, key: appKeys.key, secret: appKeys.secret };
  const filesFolder = join(dataFolder, 'files');
  await program.start(
    'outage',
    async () => new Outage({ databaseUrl, logger, leaveOut: program.leaveOut }),
    (part) => ({ stop: async () => part.stop() }),
  );
  const pool = await program.start(
    'database pool',
    async () => createPool(databaseUrl, logger),
    (part) => ({ stop: () => part.end() }),
  );
  const log = await program.start(
    'log',
    () => openLog(environment, databaseUrl, logger),
    (part) => ({ stop: () => part.close() }),
  );
  const { installation } = await identify(log, pool);
  const bus = await program.start(
    'bus',
    () => openBus(environment, installation, logger),
    (part) => ({ stop: () => part.close() }),
  );
  const projector = await program.start(
    'projector',
    () => startProjector({ log, database: databaseUrl, bus, logger }),
    (part) => ({ stop: () => part.stop() }),
  );
  const fileStore = await program.start(
    'files',
    () => openFileStore(environment, join(filesFolder, 'upload'), logger),
    (part) => ({ stop: () => part.close() }),
  );
  const sms = openSms(environment, accountsDatabase(pool));
  const { application, prepared } = await program.start(
    'api',
    () =>
      assemble({
        ...{ log, bus, pool, app, fileStore, folder: filesFolder, sms, logger },
        readModelsFault: () => projector.fault,
        fail: (error) => program.fail('api', error),
      }),
    (part) => ({ stop: part.stop }),
  );
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
  const server = await createServer(application, trust);
  const { database, isReady } = application;
  const needed = {
    log: logProbe(log),
    projections: projectionsProbe(log, database, isReady, () => projector.status()),
    database: databaseProbe(database),
    bus: busProbe(bus),
    commands: commandsProbe(store),
    ids: movingProbe(() => application.ids.stalled()),
    projector: movingProbe(
      () => projector.status().stalled,
      () => projector.fault,
    ),
    gateway: movingProbe(() => gateway.status().stalledMs),
  };
  healthRoutes(server, needed, { files: filesProbe(fileStore) });
  await serveGateway(server, gateway);
  const address = await listen(program, server);
  // Not awaited: while the read models catch up, the program can be asked to end.
  void prepared.then(() => {
    if (application.isReady()) process.stdout.write(welcome(environment, { address, appKeys, dataFolder }));
  });
}

await runProgram(start);
