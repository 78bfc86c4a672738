import type { FastifyInstance } from 'fastify';
import { categories } from '../../contracts/events/index.ts';
import type { Bus } from '../bus/bus.ts';
import type { EventLog } from '../log/log.ts';
import { readCheckpoint } from '../queries/checkpoint.ts';
import type { ReadDatabase } from '../queries/tables.ts';

/** Read models that lack an event for longer than this are not ready, in milliseconds. */
const longestLag = 5000;
const patience = 2000;

/** What the readiness is judged by. */
export interface HealthParts {
  readonly log: EventLog;
  readonly database: ReadDatabase;
  readonly bus: Bus;
  /** Whether ids may be given. */
  readonly isReady: () => boolean;
}

/** `/health`: the process answers. `/ready`: each part does; 503 where one does not. */
export function healthRoutes(server: FastifyInstance, { log, database, bus, isReady }: HealthParts): void {
  server.get('/health', async () => ({ alive: true }));

  server.get('/ready', async (_request, reply) => {
    const [logAnswers, lag] = await Promise.all([
      inTime(log.healthy(), false),
      inTime(lagOf(log, database), undefined),
    ]);
    const parts = {
      log: { ready: logAnswers },
      projections: { ready: lag !== undefined && lag <= longestLag && isReady(), lag_ms: lag ?? null },
      database: { ready: await inTime(answers(database), false) },
      bus: { ready: bus.healthy() },
    };
    const ready = Object.values(parts).every((part) => part.ready);
    return reply.code(ready ? 200 : 503).send({ ready, parts });
  });
}

async function answers(database: ReadDatabase): Promise<boolean> {
  await readCheckpoint(database);
  return true;
}

/** For how long the first event that the read models lack has been in the log, in milliseconds. */
async function lagOf(log: EventLog, database: ReadDatabase): Promise<number> {
  const after = await readCheckpoint(database);
  for await (const { recorded } of log.readAll({ after, prefixes: categories, limit: 1 })) {
    return Math.max(0, Date.now() - recorded);
  }
  return 0;
}

/** What is found out in time; else, and where it fails, the fallback. */
async function inTime<Found>(finding: Promise<Found>, fallback: Found): Promise<Found> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Found>((resolve) => {
    timer = setTimeout(() => resolve(fallback), patience);
  });
  const found = await Promise.race([finding.catch(() => fallback), late]);
  clearTimeout(timer);
  return found;
}
