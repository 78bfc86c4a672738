import { keepCompiled } from './compiled.ts';

/*
 * All of bubble-im in one process (`npm start`). Everything else is imported once it can be read from the cache, and
 * most of it while Postgres starts.
 */
keepCompiled();
const { runProgram } = await import('./lifecycle.ts');
const { openInstallation } = await import('./installation.ts');

await runProgram(async (program) => {
  const [installation, { startWhole }] = await Promise.all([openInstallation(program), import('./whole.ts')]);
  await startWhole(program, installation);
});
