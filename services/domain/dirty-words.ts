import { changeText } from './content-addresses.ts';

/** The last used words, sorted by code units. They change rarely, and there may be 200,000. */
let lexicon: { readonly words: string; readonly sorted: readonly string[] } = { words: '', sorted: [] };

/**
 * Replaces each of `words` (separated by commas, also Chinese ones, or line breaks) in the text of `content` by
 * asterisks, one per character, ignoring case. Overlapping words are all replaced. Addresses, uids and markup stay as
 * they are, since a changed address would not work.
 */
export function starOut(content: string, words: string): string {
  if (words === '') return content;
  if (lexicon.words !== words) lexicon = { words, sorted: sortedWords(words) };
  const { sorted } = lexicon;
  return sorted.length === 0 ? content : changeText(content, (text) => starText(text, sorted));
}

function starText(text: string, sorted: readonly string[]): string {
  const folded = foldCase(text);
  let starred = '';
  let starredTo = 0;
  for (let index = 0; index < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
    starredTo = Math.max(starredTo, index + longestWord(folded, index, sorted));
    starred += index < starredTo ? '*' : character;
    index += character.length;
  }
  return starred;
}

/** The length of the longest word that begins at `from`; 0 if none does. */
function longestWord(folded: string, from: number, sorted: readonly string[]): number {
  let longest = 0;
  let low = 0;
  let high = sorted.length;
  // The words from `low` to before `high` have their first `depth` characters in common with the text.
  for (let depth = 0; low < high; depth++) {
    if (sorted[low]?.length === depth) longest = depth;
    if (from + depth >= folded.length) break;
    const code = folded.charCodeAt(from + depth);
    low = firstFrom(code, depth, sorted, low, high);
    high = firstFrom(code + 1, depth, sorted, low, high);
  }
  return longest;
}

/** The first of the words from `low` to before `high` whose character at `depth` is `code` or greater. */
function firstFrom(
  code: number,
  depth: number,
  sorted: readonly string[],
  low: number,
  high: number,
): number {
  let [first, end] = [low, high];
  while (first < end) {
    const middle = (first + end) >>> 1;
    // A word that ends before `depth` sorts before those that go on.
    const word = sorted[middle] ?? '';
    if (depth < word.length && word.charCodeAt(depth) >= code) end = middle;
    else first = middle + 1;
  }
  return first;
}

function sortedWords(words: string): string[] {
  const list = new Set(words.split(/[,\uff0c\r\n]/u).map((word) => foldCase(word.trim())));
  list.delete('');
  return [...list].sort();
}

/** Lower case that keeps the position of every character: one whose length would change stays as it is. */
function foldCase(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (character) => {
    const folded = character.toLowerCase();
    return folded.length === character.length ? folded : character;
  }).join('');
}
