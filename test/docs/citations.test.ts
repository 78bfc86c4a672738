import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  anchorOf,
  filesNamedIn,
  headingsOf,
  linksOf,
  namesCitedIn,
  pages,
  sourcesIn,
  testsCitedIn,
} from './pages.ts';

const all = pages();
const byPath = new Map(all.map((page) => [page.path, page]));

describe.each(all.map((page) => [page.path, page] as const))('%s', (_path, page) => {
  test('links to what exists, and to headings that exist', () => {
    const broken = linksOf(page).filter(({ to, anchor }) => {
      if (!existsSync(to)) return true;
      const target = byPath.get(to);
      return anchor !== undefined && !(target && headingsOf(target).map(anchorOf).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  test('names files and folders that exist', () => {
    expect(filesNamedIn(page).filter((file) => !existsSync(file))).toEqual([]);
  });

  test('names functions, methods and classes that are in their files', () => {
    const missing = namesCitedIn(page).filter(({ name, file }) => !existsSync(file) || !isIn(name, file));
    expect(missing).toEqual([]);
  });

  test('cites tests that exist under their titles', () => {
    const missing = testsCitedIn(page).filter(({ file, title }) => !titlesIn(file).includes(title));
    expect(missing).toEqual([]);
  });
});

test('docs/architecture.md cites tests and functions, in the form that is checked', () => {
  const architecture = byPath.get('docs/architecture.md');
  expect(architecture && testsCitedIn(architecture).length).toBeGreaterThan(40);
  expect(architecture && namesCitedIn(architecture).length).toBeGreaterThan(40);
});

describe('comments that cite a page', () => {
  const folders = ['contracts', 'projections', 'scripts', 'services', 'test'];
  const comments = folders.flatMap(sourcesIn).flatMap((source) => citationsIn(source));

  test('name a page that exists', () => {
    expect(comments.filter(({ page }) => !byPath.has(page))).toEqual([]);
  });

  test('name a heading of it, after a comma', () => {
    const cited = comments.filter(({ heading }) => heading !== undefined);
    expect(cited.length).toBeGreaterThan(10);
    const missing = cited.filter(({ page, heading = '' }) => {
      const target = byPath.get(page);
      return !(target && headingsOf(target).some((one) => isFirstIn(one, heading)));
    });
    expect(missing).toEqual([]);
  });
});

/** Whether a file has a name as a whole word. */
function isIn(name: string, file: string): boolean {
  return new RegExp(`(?<![#\\w])${name}(?!\\w)`).test(readFileSync(file, 'utf8'));
}

/** The titles of the tests of a file; an apostrophe in a quoted title is escaped there. */
function titlesIn(file: string): string[] {
  if (!existsSync(file)) return [];
  const quoted = readFileSync(file, 'utf8').matchAll(/(['"`])((?:\\.|(?!\1).)+)\1/g);
  return Array.from(quoted, ([, , title = '']) => title.replaceAll("\\'", "'"));
}

/** Whether a text begins with a heading, as a whole. */
function isFirstIn(heading: string, text: string): boolean {
  return text.startsWith(heading) && !/^\p{L}/u.test(text.slice(heading.length));
}

interface Citation {
  readonly source: string;
  readonly page: string;
  /** What follows the page's name and a comma: a heading, and perhaps more of the sentence. */
  readonly heading: string | undefined;
}

/** The pages that a source cites, also if the citation continues in the next line of a comment. */
function citationsIn(source: string): Citation[] {
  const text = readFileSync(source, 'utf8').replaceAll(/\n\s*(?:\*|\/\/) /g, ' ');
  const cited = text.matchAll(/(docs\/[\w-]+\.md|CONTRIBUTING\.md)(?:, ([A-Z][^).:;'"`*\n]*))?/g);
  return Array.from(cited, ([, page = '', heading]) => ({ source, page, heading: heading?.trim() }));
}
