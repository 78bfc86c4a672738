import type { FastifyInstance } from 'fastify';
import pTimeout from 'p-timeout';
import type { z } from 'zod';
import { readModelCategories } from '../../contracts/events/index.ts';
import { aliveCall, type Readiness, readyCall } from '../../contracts/http/probes.ts';
import type { Bus } from '../bus/bus.ts';
import type { AggregateStore } from '../commands/aggregate-store.ts';
import type { FileStore } from '../files/file-store.ts';
import { strangenessOf } from '../log/fit.ts';
import type { FollowingFault } from '../log/following-fault.ts';
import type { EventLog, Position } from '../log/log.ts';
import { readCheckpoint, readFault } from '../queries/checkpoint.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import { createLag } from './lag.ts';

/** Read models that have lacked an event for longer are not ready. */
const maxLagMs = 5000;
/** A part that has had work for longer without progress is not ready. */
const maxStallMs = 5000;
const probeTimeoutMs = 2000;

/** The state of a part of a program; if it is not ready, with the reason, if that is known. */
export type PartHealth = { readonly ready: boolean; readonly reason?: string } & Readonly<
  Record<string, boolean | number | string>
>;

/** Checks a part of a program. If the check fails or takes longer than 2 s, the part is not ready. */
export type Probe = () => PartHealth | Promise<PartHealth>;

export type Probes = Readonly<Record<string, Probe>>;

/**
 * `/health`: the process answers. `/ready`: the state of each part; 503 if one of `needed` is not ready.
 * @param others parts without which most works: `degraded` names those that are not ready
 */
export function healthRoutes(server: FastifyInstance, needed: Probes, others: Probes = {}): void {
  server.get(aliveCall.url, async () => ({ alive: true }));

  server.get(readyCall.url, async (_request, reply) => {
    const [parts, shown] = await Promise.all([checkParts(needed), checkParts(others)]);
    const ready = Object.values(parts).every((part) => part.ready);
    const degraded = Object.keys(shown).filter((name) => shown[name]?.ready !== true);
    const state: z.input<typeof Readiness> = {
      ready,
      ...(degraded.length > 0 && { degraded }),
      parts: { ...parts, ...shown },
    };
    return reply.code(ready ? 200 : 503).send(state);
  });
}

/** Whether the log answers, and still names the installation that it named when this was asked first. */
export function logProbe(log: EventLog): Probe {
  let installation: string | undefined;
  return async () => {
    if (!(await log.healthy())) return { ready: false };
    installation ??= (await log.identity())?.installation;
    const reason = installation === undefined ? undefined : await strangenessOf(log, installation);
    return reason === undefined ? { ready: true } : { ready: false, reason };
  };
}

/** The pace of a projector in this process. */
export interface ProjectingPace {
  /** Events that it applies per second; 0 if it is a standby. */
  readonly perSecond: number;
  /** The extent of an event in the log's own unit; undefined if it applied none lately. */
  readonly extentOfEvent: number | undefined;
}

/**
 * Whether the read models are close behind the log, and ids may be given. If the projector has stopped, in whichever
 * process, with the reason and the event. While they catch up, with an estimate of the events to come, and the events
 * applied per second.
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
    const [{ checkpoint }, fault] = await Promise.all([readCheckpoint(database), readFault(database)]);
    const lag = await lagAt(checkpoint);
    if (fault !== undefined) return { ready: false, ...fault, lag_ms: lag };
    const ready = lag <= maxLagMs && isReady();
    return { ready, lag_ms: lag, ...(lag > 0 && (await catchingUp(log, checkpoint, pace()))) };
  };
}

/** An estimate of the events to come, if there are any, and the events applied per second. */
async function catchingUp(
  log: EventLog,
  checkpoint: Position,
  pace: ProjectingPace | undefined,
): Promise<Readonly<Record<string, number>>> {
  if (pace?.extentOfEvent === undefined) return {};
  const missing = log.extent(checkpoint, await log.end(readModelCategories));
  if (missing === 0) return {};
  return {
    events_to_come: Math.max(1, Math.round(missing / pace.extentOfEvent)),
    events_per_second: Math.round(pace.perSecond),
  };
}

/** What an auditor says of itself. */
export interface AuditorPace extends ProjectingPace {
  readonly active: boolean;
  readonly checkpoint: Position;
  readonly fault?: FollowingFault;
}

/**
 * Whether the index of the log is kept: it may lag under load, and nothing waits for it. While it lags, about how
 * many events are to come, and how many are indexed in a second.
 */
export function auditProbe(log: EventLog, auditor: { status(): AuditorPace }): Probe {
  return async () => {
    const status = auditor.status();
    if (status.fault !== undefined) return { ready: false, ...status.fault };
    return { ready: true, active: status.active, ...(await catchingUp(log, status.checkpoint, status)) };
  };
}

/** Whether the log is the one that heads of its Merkle tree were signed for. */
export function proofProbe(heads: { status(): { readonly size: number; readonly fault?: string } }): Probe {
  return () => {
    const { fault, size } = heads.status();
    return fault === undefined ? { ready: true, signed_events: size } : { ready: false, reason: fault };
  };
}

/** Whether no event of the log prevents deciding. */
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

/** Whether the bus is connected. */
export function busProbe(bus: Bus): Probe {
  return () => ({ ready: bus.healthy() });
}

/** Whether uploads can be read and written. */
export function filesProbe(store: FileStore): Probe {
  return async () => ({ ready: await store.healthy() });
}

/**
 * Whether a part makes progress.
 * @param stalledMs for how long it has had work without progress; 0 if it has none
 * @param fault why it has stopped, and before which event
 */
export function movingProbe(
  stalledMs: () => number,
  fault: () => FollowingFault | undefined = () => undefined,
): Probe {
  return () => {
    const stopped = fault();
    if (stopped !== undefined) return { ready: false, ...stopped };
    const milliseconds = Math.round(stalledMs());
    if (milliseconds <= maxStallMs) return { ready: true };
    return { ready: false, reason: `it has had work for ${milliseconds} ms and has not moved` };
  };
}

/** The state of each part, by its name. It never throws. */
export async function checkParts(probes: Probes): Promise<Record<string, PartHealth>> {
  const checks = Object.entries(probes).map(async ([name, probe]) => [name, await inTime(probe)] as const);
  return Object.fromEntries(await Promise.all(checks));
}

function inTime(probe: Probe): Promise<PartHealth> {
  const state = (async () => probe())().catch(() => ({ ready: false, reason: 'it cannot be reached' }));
  const late = { ready: false, reason: `no answer within ${probeTimeoutMs} ms` };
  return pTimeout(state, { milliseconds: probeTimeoutMs, fallback: () => late });
}
