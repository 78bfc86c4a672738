import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';

const Contract = z.object({ path: z.string(), methods: z.array(z.enum(['GET', 'POST'])) });

/** The contracts of the API by the name under which they are exported. */
async function contracts() {
  const all = new Map<string, z.infer<typeof Contract>>();
  for (const file of await readdir('contracts/http')) {
    const exported: Record<string, unknown> = await import(/* @vite-ignore */ `../../contracts/http/${file}`);
    for (const [name, value] of Object.entries(exported)) {
      const { data } = Contract.safeParse(value);
      if (data) all.set(name, data);
    }
  }
  return all;
}

test('the calls of the pages have the path and the method of their contracts', async () => {
  const source = await readFile('services/pages/shared/calls.ts', 'utf8');
  const calls = Array.from(source.matchAll(/^ {2}'(\/[^']+)': typeof (\w+);/gm));
  const queries = /new Set\(\[\n(.*?)\]\)/s.exec(source)?.[1] ?? '';
  const all = await contracts();
  expect(calls.length).toBeGreaterThan(5);
  for (const [, path = '', name = ''] of calls) {
    expect(all.get(name)?.path, name).toBe(path);
    const method = queries.includes(`'${path}'`) ? 'GET' : 'POST';
    expect(all.get(name)?.methods, name).toContain(method);
  }
});
