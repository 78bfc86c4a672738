import { performance } from 'node:perf_hooks';

/** How often it is looked whether the program has nothing to do, and the share of that time that it may have worked. */
const lookEveryMs = 1_000;
const idleShare = 0.05;

/**
 * Does something that stops all else for longer than anybody should wait, once the program has nothing to do: a program
 * that is busy does it later.
 */
export function onceIdle(work: () => void): void {
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > idleShare) return;
    clearInterval(timer);
    work();
  }, lookEveryMs);
  timer.unref();
}
