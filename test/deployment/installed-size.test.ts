import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** What `npm ci --omit=dev` may take on the disk, beside a Node that it brings. */
const maxMegabytes = 345;

const Lock = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })),
});

const onDisk = async (path: string) => (await stat(path)).blocks * 512;

/** The bytes that a folder takes on the disk, without the packages within it, which the lock names by themselves. */
async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  // The package of another system.
  if (entries === undefined) return 0;
  const sizes = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? 0 : bytesIn(path);
    return entry.isFile() ? onDisk(path) : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, await onDisk(folder));
}

test('what is installed to run the program takes less than 345 MB', async () => {
  const { packages } = Lock.parse(JSON.parse(await readFile('package-lock.json', 'utf8')));
  const needed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
  const sizes = await Promise.all(needed.map(async ([path]) => ({ path, bytes: await bytesIn(path) })));
  const megabytes = sizes.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20;
  const largest = sizes.toSorted((one, other) => other.bytes - one.bytes).slice(0, 12);
  expect(megabytes, JSON.stringify(largest)).toBeLessThan(maxMegabytes);
});
