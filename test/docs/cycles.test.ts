import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { sourcesIn } from './pages.ts';

/* What the table of rooms does not say: rooms that stay small, and imports without circles. */

const sources = ['contracts', 'projections', 'services'].flatMap(sourcesIn);

/** A room with more files than this is divided. */
const maxFilesOfRoom = 45;

test('no room is crowded, and every file is named after what it holds', () => {
  const rooms = Object.entries(Object.groupBy(sources, (source) => dirname(source)));
  expect(rooms.flatMap(([room, files = []]) => (files.length > maxFilesOfRoom ? [room] : []))).toEqual([]);
  const vague = /(^|\/)(utils?|helpers?|common|base|misc|lib|managers?)(\/|\.ts$)/;
  expect(sources.filter((source) => vague.test(source))).toEqual([]);
});

/** What a file imports when it runs: imports of types are erased. */
function importsOf(source: string): string[] {
  const statements = readFileSync(source, 'utf8').matchAll(
    /^(?:import|export) (type )?([^;'"]*?)from '(\.[^']+)';$/gm,
  );
  return Array.from(statements).flatMap(([, type, names = '', path = '']) => {
    const typesOnly = type !== undefined || /^\{(\s*type [^,}]+,?)+\s*\}\s*$/.test(names);
    return typesOnly ? [] : [normalize(join(dirname(source), path))];
  });
}

test('no file imports itself by way of others', () => {
  const imports = new Map(sources.map((source) => [source, importsOf(source)]));
  const visited = new Set<string>();
  const circles: string[] = [];
  const visit = (source: string, path: readonly string[]): void => {
    const at = path.indexOf(source);
    if (at >= 0) circles.push([...path.slice(at), source].join(' → '));
    if (at >= 0 || visited.has(source)) return;
    for (const next of imports.get(source) ?? []) visit(next, [...path, source]);
    visited.add(source);
  };
  for (const source of sources) visit(source, []);
  expect(circles).toEqual([]);
});
