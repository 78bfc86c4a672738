import { flushCompileCache } from 'node:module';

/*
 * Loads what the programs load, so that Node keeps what it compiles in the folder that NODE_COMPILE_CACHE names. The
 * Dockerfile runs it; elsewhere the first start does the same (services/compiled.ts).
 */
await Promise.all([
  import('../services/lifecycle.ts'),
  import('../services/garbage.ts'),
  import('../services/installation.ts'),
  import('../services/whole.ts'),
  import('../services/log/eventstoredb/eventstoredb-log.ts'),
  import('../services/bus/nats.ts'),
  import('../services/metrics/metrics.ts'),
  import('../services/metrics/figures.ts'),
  import('../services/traces/traces.ts'),
]);
flushCompileCache();
// What was loaded may hold the process: threads that draw, for one.
process.exit(0);
