import type { FastifyInstance } from 'fastify';
import { categories } from '../../contracts/events/index.ts';
import type { Bus } from '../bus/bus.ts';
import type { AggregateStore } from '../commands/aggregate-store.ts';
import type { FileStore } from '../files/file-store.ts';
import type { EventLog, Position } from '../log/log.ts';
import { readCheckpoint } from '../queries/checkpoint.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import { createLag } from './lag.ts';

/** Read models that lack an event for longer than this are not ready, in milliseconds. */
const maxLagMs = 5000;
/** A part that has had work for longer than this and has not moved is not ready, in milliseconds. */
const maxStallMs = 5000;
const probeTimeoutMs = 2000;

/** What is told of a part of a program; of one that is not ready, the reason if it is known. */
export type PartHealth = { readonly ready: boolean; readonly reason?: string } & Readonly<
  Record<string, boolean | number | string>
>;

/** Looks at a part of a program. One that fails, or takes longer than 2 s, is not ready. */
export type Probe = () => PartHealth | Promise<PartHealth>;

export type Probes = Readonly<Record<string, Probe>>;

/**
 * `/health`: the process answers. `/ready`: each part does; 503 where one does not that is needed.
 * @param others parts that are told of, and without which most goes on
 */
export function healthRoutes(server: FastifyInstance, needed: Probes, others: Probes = {}): void {
  server.get('/health', async () => ({ alive: true }));

  server.get('/ready', async (_request, reply) => {
    const [parts, told] = await Promise.all([lookAt(needed), lookAt(others)]);
    const ready = Object.values(parts).every((part) => part.ready);
    return reply.code(ready ? 200 : 503).send({ ready, parts: { ...parts, ...told } });
  });
}

/** Whether the log answers. */
export function logProbe(log: EventLog): Probe {
  return async () => ({ ready: await log.healthy() });
}

/** How a projector of this process gets on. */
export interface ProjectingPace {
  /** Events that it takes in a second; 0 if it stands by. */
  readonly perSecond: number;
  /** How much of the log an event is, in the log's own measure; undefined if it took none in lately. */
  readonly extentOfEvent: number | undefined;
}

/**
 * Whether the read models are close behind the log, and ids may be given. While they catch up, it tells
 * about how many events are to come, and how many are taken in a second.
 * @param pace of the projector of this process; undefined if it has none
 */
export function projectionsProbe(
  log: EventLog,
  database: ReadDatabase,
  isReady: () => boolean,
  pace: () => ProjectingPace | undefined,
): Probe {
  const lagAt = createLag(log);
  return async () => {
    const { checkpoint } = await readCheckpoint(database);
    const lag = await lagAt(checkpoint);
    const ready = lag <= maxLagMs && isReady();
    const { perSecond = 0, extentOfEvent } = pace() ?? {};
    if (lag === 0 || extentOfEvent === undefined) return { ready, lag_ms: lag };
    const toCome = Math.max(1, Math.round(log.extent(checkpoint, await log.end(categories)) / extentOfEvent));
    return { ready, lag_ms: lag, events_to_come: toCome, events_per_second: Math.round(perSecond) };
  };
}

/** What an auditor says of itself. */
export interface AuditorPace extends ProjectingPace {
  readonly active: boolean;
  readonly checkpoint: Position;
  readonly fault?: string;
}

/**
 * Whether the index of the log is kept: it may lag under load, and nothing waits for it. While it lags, about how
 * many events are to come, and how many are indexed in a second.
 */
export function auditProbe(log: EventLog, auditor: { status(): AuditorPace }): Probe {
  return async () => {
    const { active, checkpoint, extentOfEvent, fault, perSecond } = auditor.status();
    if (fault !== undefined) return { ready: false, reason: fault };
    const missing = log.extent(checkpoint, await log.end(categories));
    if (missing === 0 || extentOfEvent === undefined) return { ready: true, active };
    const toCome = Math.max(1, Math.round(missing / extentOfEvent));
    return { ready: true, active, events_to_come: toCome, events_per_second: Math.round(perSecond) };
  };
}

/** Whether the log is the one that heads of its Merkle tree were signed for. */
export function proofProbe(heads: { status(): { readonly size: number; readonly fault?: string } }): Probe {
  return () => {
    const { fault, size } = heads.status();
    return fault === undefined ? { ready: true, signed_events: size } : { ready: false, reason: fault };
  };
}

/** Whether no event of the log forbids deciding. */
export function commandsProbe(store: Pick<AggregateStore, 'obstacle'>): Probe {
  return () => {
    const { obstacle } = store;
    if (!obstacle) return { ready: true };
    return { ready: false, reason: obstacle.message, position: obstacle.event.position };
  };
}

/** Whether the read models can be read. */
export function databaseProbe(database: ReadDatabase): Probe {
  return async () => {
    await readCheckpoint(database);
    return { ready: true };
  };
}

/** Whether the bus carries. */
export function busProbe(bus: Bus): Probe {
  return () => ({ ready: bus.healthy() });
}

/** Whether what users uploaded can be got at. */
export function filesProbe(store: FileStore): Probe {
  return async () => ({ ready: await store.healthy() });
}

/**
 * Whether a part moves.
 * @param stalled for how long it has had work without getting on, in milliseconds; 0 if it has none
 * @param fault why it has stopped for good
 */
export function movingProbe(stalled: () => number, fault: () => string | undefined = () => undefined): Probe {
  return () => {
    const stopped = fault();
    if (stopped !== undefined) return { ready: false, reason: stopped };
    const milliseconds = Math.round(stalled());
    if (milliseconds <= maxStallMs) return { ready: true };
    return { ready: false, reason: `it has had work for ${milliseconds} ms and has not moved` };
  };
}

async function lookAt(probes: Probes): Promise<Record<string, PartHealth>> {
  const looks = Object.entries(probes).map(async ([name, probe]) => [name, await inTime(probe)] as const);
  return Object.fromEntries(await Promise.all(looks));
}

async function inTime(probe: Probe): Promise<PartHealth> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<PartHealth>((resolve) => {
    timer = setTimeout(resolve, probeTimeoutMs, {
      ready: false,
      reason: `no answer within ${probeTimeoutMs} ms`,
    });
  });
  const looked = (async () => probe())().catch(() => ({ ready: false, reason: 'it cannot be reached' }));
  try {
    return await Promise.race([looked, late]);
  } finally {
    clearTimeout(timer);
  }
}
