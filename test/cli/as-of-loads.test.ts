import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Prints at the end whether a package was loaded. */
const hooks = (name: string) =>
  `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from 'node:module';
    let loaded = false;
    registerHooks({
      load(url, context, next) {
        loaded ||= url.includes('/node_modules/${name}/');
        return next(url, context);
      },
    });
    process.on('exit', () => console.error('loaded:', loaded));`)}`;

const loads = async (name: string) => {
  const { stderr } = await promisify(execFile)('node', [
    '--import',
    hooks(name),
    'scripts/as-of.ts',
    '--help',
  ]);
  return stderr.trim();
};

test('as-of loads what builds statements only for a query of the API', async () => {
  expect(await loads('pg')).toBe('loaded: true');
  expect(await loads('kysely')).toBe('loaded: false');
});
