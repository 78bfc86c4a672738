import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import { type Finding, findings } from './finding.ts';

const Package = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
  engines: z.object({ node: z.string() }).partial().default({}),
});

/** The file that every program of npm runs first, by any version of Node. */
const preflight: { findObstacle(): string | undefined } = createRequire(import.meta.url)('../preflight.cjs');

const root = join(import.meta.dirname, '../..');

/** Whether Node and the packages are those that this version of the program wants. */
export async function examineInstalled(): Promise<Finding[]> {
  const { ok, warning, refused } = findings('packages');
  const obstacle = preflight.findObstacle();
  if (obstacle !== undefined) return [refused(new Error(obstacle))];
  const ours = await readPackage(root);
  const node = ok(`bubble-im ${ours.version} on Node ${process.versions.node} (${ours.engines.node})`);
  const differing = await Promise.all(
    Object.entries(ours.dependencies).map(async ([name, wanted]) => {
      const { version } = await readPackage(join(root, 'node_modules', name));
      return version === wanted ? [] : [`${name} ${version} in place of ${wanted}`];
    }),
  );
  const all = differing.flat();
  if (all.length === 0) return [node];
  const some = all.slice(0, 3).join(', ');
  return [
    node,
    warning(`${all.length} packages are of other versions: ${some}`, 'run npm ci, and start again'),
  ];
}

async function readPackage(folder: string): Promise<z.infer<typeof Package>> {
  return Package.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
}
