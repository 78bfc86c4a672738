import { createRequire } from 'node:module';
import { growingCache } from '../growing-cache.ts';

const require = createRequire(import.meta.url);

/** Loaded with the first name that is not in Latin letters: its dictionary takes memory and time. */
let library: typeof import('pinyin-pro') | undefined;

const known = growingCache<string, string>(20_000);

/**
 * The letter under which a contact list has a name: the first of the pinyin of its first character, read as a surname;
 * a Latin letter is its own; `#` for everything else (docs/behaviour.md, Friends).
 */
export function initialOf(name: string): string {
  // A compound surname (单于, 尉迟) has two characters.
  const beginning = [...name.trim()].slice(0, 2).join('');
  let initial = known.get(beginning);
  if (initial === undefined) {
    initial = letterOf(beginning);
    known.set(beginning, initial);
  }
  return initial;
}

function letterOf(beginning: string): string {
  const latin = /^[\x20-\x7e]/.test(beginning);
  const letter = (latin ? beginning : readingOf(beginning).normalize('NFKD')).charAt(0).toUpperCase();
  return /^[A-Z]$/.test(letter) ? letter : '#';
}

/** The pinyin of the first character. */
function readingOf(beginning: string): string {
  library ??= loadPinyin();
  const [reading = ''] = library.pinyin(beginning, { surname: 'head', toneType: 'none', type: 'array' });
  return reading;
}

function loadPinyin(): typeof import('pinyin-pro') {
  return require('pinyin-pro');
}

/** Groups entries by their initial: A–Z, then `#`; within a letter by uid, as the API's maps have it. */
export function byInitial<Entry extends { readonly uid: number; readonly initials: string }>(
  entries: readonly Entry[],
): Record<string, Record<string, Entry>> {
  const letters = Object.groupBy(entries, ({ initials }) => initials);
  const order = Object.keys(letters).sort((one, other) =>
    one === '#' ? 1 : other === '#' ? -1 : one < other ? -1 : 1,
  );
  return Object.fromEntries(
    order.map((letter) => [
      letter,
      Object.fromEntries((letters[letter] ?? []).map((entry) => [String(entry.uid), entry])),
    ]),
  );
}
