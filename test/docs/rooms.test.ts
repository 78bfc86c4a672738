import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sourcesIn } from './pages.ts';

/** A row of the table under the heading Rooms: paths of files and folders, and of what they may import. */
interface Room {
  readonly name: string;
  readonly paths: readonly string[];
  readonly imports: readonly string[] | 'everything';
}

const paths = (cell: string) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, path = '']) => path);

function roomsOf(page: string): Room[] {
  const table = /^## Rooms\n(.*?)^## /ms.exec(page)?.[1] ?? '';
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) => {
    const [, room = '', , allowed = ''] = row.split('|').map((cell) => cell.trim());
    const imports = allowed === 'everything' ? allowed : paths(allowed);
    return { name: room.split(':')[0] ?? room, paths: paths(room), imports };
  });
}

const rooms = roomsOf(readFileSync('docs/architecture.md', 'utf8'));
const sources = ['contracts', 'projections', 'scripts', 'services'].flatMap(sourcesIn);

/** The room of a file: that which names it, else that of the deepest folder which holds it. */
function roomOf(file: string): Room | undefined {
  const length = (room: Room) =>
    Math.max(
      0,
      ...room.paths
        .filter((path) => path === file || (path.endsWith('/') && file.startsWith(path)))
        .map((path) => path.length),
    );
  return rooms.filter((room) => length(room) > 0).sort((one, other) => length(other) - length(one))[0];
}

function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?'(\.[^']+)'/g);
  return Array.from(found, ([, path = '']) => normalize(join(dirname(file), path)));
}

function mayImport(from: Room, to: Room): boolean {
  if (from === to || from.imports === 'everything' || to.name === '`contracts/`') return true;
  if (to.name === 'shared files' && from.name !== '`contracts/`') return true;
  return to.paths.some((path) => from.imports.includes(path));
}

describe('the table of rooms in docs/architecture.md', () => {
  test('has a room for every file', () => {
    expect(rooms.length).toBeGreaterThan(10);
    expect(sources.filter((source) => roomOf(source) === undefined)).toEqual([]);
  });

  test('allows every import that there is', () => {
    const forbidden = sources.flatMap((source) =>
      importsOf(source)
        .filter((target) => {
          const [from, to] = [roomOf(source), roomOf(target)];
          return !(from && to && mayImport(from, to));
        })
        .map((target) => `${source} imports ${target}`),
    );
    expect(forbidden).toEqual([]);
  });

  test('allows nothing that no file imports', () => {
    const unused = rooms.flatMap(({ name, imports }) =>
      imports === 'everything'
        ? []
        : imports
            .filter(
              (path) =>
                !sources
                  .filter((source) => roomOf(source)?.name === name)
                  .flatMap(importsOf)
                  .some((target) => target.startsWith(path)),
            )
            .map((path) => `${name} no longer imports ${path}`),
    );
    expect(unused).toEqual([]);
  });
});
