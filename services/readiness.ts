import type { FastifyInstance } from 'fastify';
import type pg from 'pg';
import { readMigrations } from '../projections/migrations.ts';
import type { Projector } from '../projections/runner/projector.ts';
import { readSchemaFit, tooOld } from '../projections/schema-fit.ts';
import {
  auditProbe,
  busProbe,
  checkParts,
  commandsProbe,
  databaseProbe,
  filesProbe,
  healthRoutes,
  logProbe,
  movingProbe,
  type Probe,
  type Probes,
  projectionsProbe,
  proofProbe,
} from './api/health.ts';
import type { Program } from './lifecycle.ts';
import type { EventLog } from './log/log.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { ApiParts, Auditing, Foundation, StartedApi } from './parts.ts';
import { readDatabase } from './queries/tables.ts';

/* What `/ready` of each program looks at, by the parts that the program has. */

/**
 * Serves `/health` and `/ready`. `/metrics`, if the program serves it, says the same of each part, for who is notified by
 * Prometheus alone: also of parts that leave `/ready` at 200, as `proof`.
 * @param others parts without which most works
 */
export function serveHealth(
  server: FastifyInstance,
  metrics: Pick<Metrics, 'gauge'> | undefined,
  needed: Probes,
  others: Probes = {},
): void {
  healthRoutes(server, needed, others);
  metrics?.gauge(
    'part_ready',
    'Whether a part is ready, as /ready says: 1 or 0',
    async () => {
      const parts = await checkParts({ ...needed, ...others });
      return Object.fromEntries(Object.entries(parts).map(([name, { ready }]) => [name, ready ? 1 : 0]));
    },
    'part',
  );
}

/** What every program with a log and read models needs to be ready. */
export function sharedProbes(program: Program, { log, pool }: Foundation): Probes {
  return {
    ...serving(program),
    tables: tablesProbe(pool),
    log: logProbe(log),
    database: databaseProbe(readDatabase(pool)),
  };
}

/**
 * Whether NATS is connected, which `/ready` reports and does not need: without it calls are answered and pushes are read
 * from the database, and all processes lose it at once, so that a load balancer would have none left.
 */
export function busProbes({ bus }: Pick<Foundation, 'bus'>): Probes {
  return { bus: busProbe(bus) };
}

/** Whether the program was not asked to end: load balancers look at `/ready`. */
export function serving(program: Program): Probes {
  return { serving: () => ({ ready: !program.ending }) };
}

/**
 * Whether this program can work on the tables, which a newer one may have changed; and by which of its migrations, if
 * this one goes on beside them.
 */
export function tablesProbe(pool: pg.Pool): Probe {
  const migrations = readMigrations();
  return async () => {
    const fit = await readSchemaFit(pool, await migrations);
    if (fit.missing.length > 0) return { ready: false, reason: tooOld(fit) };
    return { ready: true, ...(fit.newer.length > 0 && { newer: fit.newer.join(', ') }) };
  };
}

/** What the API needs to be ready, beside `sharedProbes`. */
export function apiProbes({ log, projector }: ApiParts, { application }: StartedApi): Probes {
  const { database, isReady, store, ids } = application;
  return {
    projections: projectionsProbe(log, database, isReady, () => projector?.status()),
    commands: commandsProbe(store),
    ids: movingProbe(() => ids.stalledMs()),
  };
}

/** What a projector needs to be ready. */
export function projectorProbes(projector: Projector): Probes {
  return {
    projector: movingProbe(
      () => projector.status().stalled,
      () => projector.fault,
    ),
  };
}

/** What is reported of an audit, for which nothing waits. */
export function auditorProbes(log: EventLog, auditing: Auditing | undefined): Probes {
  if (!auditing) return {};
  const { auditor, heads } = auditing;
  return { audit: auditProbe(log, auditor), proof: proofProbe(heads) };
}

/** What is reported of an API, and without which most goes on. */
export function filesProbes({ fileStore }: StartedApi): Probes {
  return { files: filesProbe(fileStore) };
}
