import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';

const Contract = z.object({
  path: z.string(),
  methods: z.array(z.enum(['GET', 'POST'])),
  access: z.string(),
  unprefixed: z.boolean().optional(),
});

/** The contracts of the API by the name under which they are exported, with the path that the console calls. */
async function contracts() {
  const all = new Map<string, z.infer<typeof Contract> & { readonly url: string }>();
  for (const file of await readdir('contracts/http')) {
    const exported: Record<string, unknown> = await import(/* @vite-ignore */ `../../contracts/http/${file}`);
    for (const [name, value] of Object.entries(exported)) {
      const { data } = Contract.safeParse(value);
      if (data) all.set(name, { ...data, url: data.unprefixed ? data.path : `/api${data.path}` });
    }
  }
  return all;
}

/** The lines of an interface that name calls. */
function callsOf(source: string, name: string): [path: string, contract: string][] {
  const body = new RegExp(`export interface ${name} \\{\\n(.*?)\\n\\}`, 's').exec(source)?.[1] ?? '';
  return Array.from(body.matchAll(/^ {2}'(\/[^']+)': typeof (\w+);/gm), ([, path = '', contract = '']) => [
    path,
    contract,
  ]);
}

test('the calls of the chat page have the path and the method of their contracts', async () => {
  const source = await readFile('services/pages/shared/calls.ts', 'utf8');
  const calls = callsOf(source, 'Calls');
  const queries = /new Set\(\[\n(.*?)\]\)/s.exec(source)?.[1] ?? '';
  const all = await contracts();
  expect(calls.length).toBeGreaterThan(5);
  for (const [path, name] of calls) {
    expect(all.get(name)?.path, name).toBe(path);
    const method = queries.includes(`'${path}'`) ? 'GET' : 'POST';
    expect(all.get(name)?.methods, name).toContain(method);
  }
});

test('the console has every call that is for the server’s key alone, with the path and the method of its contract', async () => {
  const source = await readFile('services/pages/console/server-api.ts', 'utf8');
  const all = await contracts();
  const called = new Set<string>();
  for (const [list, method] of [
    ['ServerQueries', 'GET'],
    ['ServerCommands', 'POST'],
  ] as const) {
    for (const [path, name] of callsOf(source, list)) {
      expect(all.get(name)?.url, name).toBe(path);
      expect(all.get(name)?.methods, name).toContain(method);
      called.add(name);
    }
  }
  const forTheServer = [...all].flatMap(([name, { access }]) => (access === 'server' ? [name] : []));
  expect(forTheServer.length).toBeGreaterThan(10);
  expect(forTheServer.filter((name) => !called.has(name))).toEqual([]);
});
