import { constants, getPriority, setPriority } from 'node:os';

/** Not the lowest: on a machine whose cores are busy a picture would then take longer than it may. */
const background = constants.priority.PRIORITY_BELOW_NORMAL;

/**
 * Gives work of the background a lower priority than answers to requests. On Linux it holds for one thread and for
 * those that this thread starts later.
 * @param id of a process or a thread; by default the calling thread
 */
export function lowerPriority(id = 0): void {
  // Only root may raise a priority that is lower already.
  setPriority(id, Math.max(getPriority(id), background));
}
