import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';

/** Beside the packages, so that `npm ci` removes it with them. */
export const compiledFolder = join(import.meta.dirname, '../node_modules/.cache/bubble-im');

/**
 * Has Node keep on disk what it compiles from now on, so that the next start compiles nothing. It does nothing if the
 * folder cannot be written. The variable NODE_COMPILE_CACHE names another folder.
 */
export function keepCompiled(): void {
  enableCompileCache(compiledFolder);
}

/**
 * Writes what was compiled so far: after an update all of it, which takes most of a second. Node would do it at its end,
 * but not if it is killed.
 */
export function writeCompiled(): void {
  flushCompileCache();
}
