import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** A page of documentation, by its path in the repository. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

const atTop = ['README.md', 'README.zh.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];

/** Every page that people read: those at the top, and all of docs/. */
export function pages(): Page[] {
  const inFolder = readdirSync('docs').filter((name) => name.endsWith('.md'));
  const paths = [...atTop, ...inFolder.map((name) => `docs/${name}`)];
  return paths.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** The text of a page without its blocks of code. */
function prose(text: string): string {
  return text.replaceAll(/^ *```.*?^ *```$/gms, '');
}

/** The headings of a page, as they are written. */
export function headingsOf({ text }: Page): string[] {
  return Array.from(prose(text).matchAll(/^#{1,6} (.+)$/gm), ([, heading = '']) => heading);
}

/** What GitHub makes of a heading: the part of a link after `#`. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** Where the links of a page lead within the repository: a path (of the page itself if it is empty) and an anchor. */
export function linksOf({ path, text }: Page): { to: string; anchor: string | undefined }[] {
  const withoutCode = prose(text).replaceAll(/`[^`]*`/g, '');
  const inline = Array.from(withoutCode.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target);
  const referenced = Array.from(withoutCode.matchAll(/^\[[^\]]+\]: (\S+)$/gm), ([, target = '']) => target);
  return [...inline, ...referenced]
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#');
      return { to: file === '' ? path : normalize(join(dirname(path), file)), anchor };
    });
}

const rooms = 'contracts|services|projections|scripts|test|docs|\\.ci';

/** The files and folders of the repository that a page names in backticks. */
export function filesNamedIn({ text }: Page): string[] {
  const named = prose(text).matchAll(new RegExp(`\`((?:${rooms})/[\\w./-]*)\``, 'g'));
  return Array.from(named, ([, file = '']) => file);
}

/** The tests that a page cites: a file in backticks, and a title in quotation marks after it. */
export function testsCitedIn({ text }: Page): { file: string; title: string }[] {
  const cited = prose(text).matchAll(/`(test\/[\w./-]+\.ts)`\s"([^"]+)"/g);
  return Array.from(cited, ([, file = '', title = '']) => ({ file, title: title.replaceAll(/\s+/g, ' ') }));
}

/** The functions, methods and classes that a page says are in a file: `name` in `path/file.ts`. */
export function namesCitedIn({ text }: Page): { name: string; file: string }[] {
  const cited = prose(text).matchAll(/((?:`[#\w.]+`(?:, | and )?)+)(?: and others)?\sin\s`([\w./-]+\.ts)`/g);
  return Array.from(cited, ([, names = '', file = '']) =>
    Array.from(names.matchAll(/[#\w]+/g), ([name]) => name)
      .filter((name) => name !== 'and')
      .map((name) => ({ name, file })),
  ).flat();
}

/** Every TypeScript file of a folder, by its path in the repository. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => normalize(join(parentPath, name)));
}
