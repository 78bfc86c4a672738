import type { Contract } from '../../contracts/http/contract.ts';
import { FairQueue } from '../fair-queue.ts';

/*
 * Limits of the calls that one person has under way, so that nobody fills what all share: the thread, the log,
 * the pool. Beyond `maxWaiting`: code 429.
 */

/** How many more calls of one person may wait. */
export const maxWaiting = 1_000;

/** A command takes 10 ms, most of which is waiting for the log, so these are hundreds a second. */
export const maxCommands = 8;

/**
 * A query takes the time of the only thread and several connections of the pool at once: the calls of others
 * wait behind the queries that run, but not behind those that wait here.
 */
export const maxQueries = 2;

/** After a query half of the time is left to others: its place stays empty for as long as it took, up to this. */
const maxRestMs = 100;

/** Names in a list from which a command is large: a new member is three rows in the read models. */
const maxSmallList = 100;

/** After a large command two thirds of the time are left to others, so that less than one message of a hundred waits. */
const largeRest = { restFactor: 2, maxRestMs: 300 };

/** A large command that has waited longer for its turn is refused: its caller has given up. */
const largeTimeoutMs = 20_000;

const maxRunning = Number.POSITIVE_INFINITY;

/** The commands of this process. The server's key has no limit; uploads and pictures have their own. */
export const createCommandQueue = () => new FairQueue({ maxRunning, maxRunningEach: maxCommands });

/** The queries of this process, with the same exceptions. */
export const createQueryQueue = () => new FairQueue({ maxRunning, maxRunningEach: maxQueries, maxRestMs });

/**
 * The large commands of all people in this process, who take turns. The answer of each command waits for the one
 * projector, which follows the order of the log: it takes tens of milliseconds for a thousand new members, and the
 * messages of others wait meanwhile. So one such event is on its way at a time, and most of the time none.
 */
export const createLargeCommandQueue = () =>
  new FairQueue({ maxRunning: 1, timeoutMs: largeTimeoutMs, ...largeRest });

/** Whether a command is on many people. */
export function isLarge(
  { large }: Pick<Contract, 'large'>,
  parameters: Readonly<Record<string, unknown>>,
): boolean {
  const lists = Object.values(parameters).filter((value) => Array.isArray(value));
  return large === true || lists.some(({ length }) => length > maxSmallList);
}
