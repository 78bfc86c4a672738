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

const maxRunning = Number.POSITIVE_INFINITY;

/** The commands of this process. The server's key has no limit; uploads and pictures have their own. */
export const createCommandQueue = () => new FairQueue({ maxRunning, maxRunningEach: maxCommands });

/** The queries of this process, with the same exceptions. */
export const createQueryQueue = () => new FairQueue({ maxRunning, maxRunningEach: maxQueries, maxRestMs });
