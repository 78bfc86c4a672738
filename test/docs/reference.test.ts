import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { codeNames, codes, statusOf } from '../../contracts/codes.ts';
import { defaultSettings } from '../../contracts/settings.ts';
import { variableNames } from '../../services/environment-variables.ts';
import { pages, sourcesIn, testsCitedIn } from './pages.ts';

describe.each(['docs/operations.md', 'README.md', 'README.zh.md'])('%s', (path) => {
  test('names every variable of the environment in a table', () => {
    const rows = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .join('\n');
    expect(variableNames.length).toBeGreaterThan(15);
    expect(variableNames.filter((name) => !rows.includes(`\`${name}\``))).toEqual([]);
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

test('docs/api.zh.md has every code, with its status and text', () => {
  const rows = readFileSync('docs/api.zh.md', 'utf8').split('\n');
  const lacking = codeNames.filter(
    (reason) => !rows.includes(`| ${codes[reason].code} | ${statusOf(reason)} | ${codes[reason].msg} |`),
  );
  expect(lacking).toEqual([]);
});

test('docs/operations.md quotes the log as the program writes it', () => {
  const page = readFileSync('docs/operations.md', 'utf8');
  const rows = ['## At the start', '## While it runs', 'Lines that concern security'].flatMap((beginning) => {
    const [section = ''] = page.slice(page.indexOf(beginning) + beginning.length).split(/^#/m);
    return section.split('\n');
  });
  const quoted = rows
    .filter((row) => row.startsWith('| `'))
    .flatMap((row) => Array.from((row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g), ([, text = '']) => text))
    .flatMap((text) => text.split('…').map((part) => part.trim()))
    .filter((part) => part !== '' && part !== 'msg');
  const files = [...['services', 'projections', 'scripts'].flatMap(sourcesIn), 'scripts/preflight.cjs'];
  const sources = files.map((file) => readFileSync(file, 'utf8'));
  expect(quoted.length).toBeGreaterThan(20);
  expect(quoted.filter((part) => !sources.some((source) => source.includes(part)))).toEqual([]);
});

test('docs/operations.md says what to do on each word with which npm run verify names a difference', () => {
  const rows = readFileSync('docs/operations.md', 'utf8')
    .split('\n')
    .filter((row) => row.startsWith('| `'))
    .join('\n');
  const sources = ['services/audit/tree/verified-words.ts', 'scripts/verify/compare-streams.ts'];
  const named = sources.flatMap((file) =>
    Array.from(readFileSync(file, 'utf8').matchAll(/['`]([A-Z][A-Z ]+[A-Z]):/g), ([, word = '']) => word),
  );
  expect(new Set(named).size).toBeGreaterThan(12);
  expect(named.filter((word) => !rows.includes(`\`${word}`))).toEqual([]);
});

test('pages name scripts that npm can run', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const named = pages().flatMap(({ text }) =>
    Array.from(text.matchAll(/npm run (?:-s )?([a-z][a-z-]*[a-z])/g), ([, script = '']) => script),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((script) => !(script in scripts))).toEqual([]);
});

test('docs/limits.md names for each limit a test that reaches it', () => {
  const path = 'docs/limits.md';
  const rows = readFileSync(path, 'utf8')
    .split('\n')
    .filter((row) => row.startsWith('| ') && !row.startsWith('| limit |'));
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.filter((text) => testsCitedIn({ path, text }).length === 0)).toEqual([]);
});

test('docs/limits.md shows the default of each limit that is a setting', () => {
  const defaults: Readonly<Record<string, string | number>> = defaultSettings;
  const rows = readFileSync('docs/limits.md', 'utf8').split('\n');
  const limits = rows.flatMap((row) => {
    const [, what = '', value = '', where = ''] = row.split('|').map((cell) => cell.trim());
    const [, name] = /^setting `(\w+)`/.exec(where) ?? [];
    return name === undefined ? [] : [{ what, value: value.replaceAll(',', ''), name }];
  });
  expect(limits.length).toBeGreaterThan(10);
  const wrong = limits.filter(({ value, name }) => !new RegExp(`\\b${defaults[name]}\\b`).test(value));
  expect(wrong).toEqual([]);
});
