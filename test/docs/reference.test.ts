import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { defaultSettings } from '../../contracts/settings.ts';

/** The variables that services/environment.ts reads. */
function variables(): string[] {
  const [, shape = ''] =
    /const Variables = z\.object\(\{(.*?)^\}\);/ms.exec(readFileSync('services/environment.ts', 'utf8')) ??
    [];
  return Array.from(shape.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm), ([, name = '']) => name);
}

describe.each(['docs/operations.md', 'README.md', 'README.zh.md'])('%s', (path) => {
  test('names every variable of the environment in a table', () => {
    const rows = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .join('\n');
    expect(variables().length).toBeGreaterThan(15);
    expect(variables().filter((name) => !rows.includes(`\`${name}\``))).toEqual([]);
  });
});

test('docs/behaviour.md names every setting, with its default', () => {
  const rows = readFileSync('docs/behaviour.md', 'utf8').split('\n');
  const lacking = Object.entries(defaultSettings).filter(([name, value]) => {
    const shown = value === '' ? 'empty' : `\`${value}\``;
    return !rows.some((row) => row.startsWith(`| \`${name}\` | ${shown} |`));
  });
  expect(lacking).toEqual([]);
});
