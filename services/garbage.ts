import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often it is looked whether the program has nothing to do, and the share of that time that it may have worked. */
const lookEveryMs = 1_000;
const idleShare = 0.05;

/**
 * Returns the memory that is not used any more, once the program has nothing to do. After a start that is a quarter of all,
 * which V8 would keep: it collects when it needs memory. All else waits meanwhile, for some 100 ms, so a program that is
 * busy does it later.
 */
export function collectGarbageWhenIdle(): void {
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > idleShare) return;
    clearInterval(timer);
    collectGarbage();
  }, lookEveryMs);
  timer.unref();
}

function collectGarbage(): void {
  // The only way to ask for it in a program that was not started with this flag.
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  // The only kind that also gives back what the youngest objects had.
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
