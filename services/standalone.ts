import { keepCompiled, writeCompiled } from './compiled.ts';

/*
 * All of bubble-im in one process (`npm start`). Everything else is imported once it can be read from the cache, and
 * most of it while Postgres starts.
 */
keepCompiled();
const { runProgram } = await import('./lifecycle.ts');
const { collectGarbage } = await import('./garbage.ts');
const { onceIdle } = await import('./once-idle.ts');
const { openInstallation } = await import('./installation.ts');

/** After this time all that a start needs is loaded. */
const settledAfterMs = 10_000;

/** What can wait until nobody else does. */
function settle(): void {
  writeCompiled();
  collectGarbage();
}

await runProgram(async (program) => {
  const [installation, { startWhole }] = await Promise.all([openInstallation(program), import('./whole.ts')]);
  await startWhole(program, installation);
  setTimeout(() => onceIdle(settle), settledAfterMs).unref();
});
