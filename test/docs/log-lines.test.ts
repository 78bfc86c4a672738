import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sourcesIn } from './pages.ts';
import { logLinesOf } from './source-log-lines.ts';

/** The texts in backticks of the page, in which `…` is any text. */
function quotedIn(page: string): RegExp[] {
  return Array.from(page.matchAll(/`([^`\n]+)`/g), ([, quoted = '']) => {
    const parts = quoted.split('…').map((part) => RegExp.escape(part.trim()));
    return new RegExp(`^${parts.join('\\s?.*')}$`);
  });
}

test('docs/operations.md says of every warning and error of the program what to do', () => {
  const quoted = quotedIn(readFileSync('docs/operations.md', 'utf8'));
  const lines = ['services', 'projections'].flatMap(sourcesIn).flatMap(logLinesOf);
  expect(lines.length).toBeGreaterThan(60);
  expect(lines.filter(({ text }) => !quoted.some((pattern) => pattern.test(text)))).toEqual([]);
});
