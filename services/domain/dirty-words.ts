/** The words of one setting by their first character, the longest first: what a position must be held against. */
let lexicon: { readonly words: string; readonly byFirst: ReadonlyMap<string, readonly string[]> } = {
  words: '',
  byFirst: new Map(),
};

/**
 * Replaces each of `words` (comma, a Chinese one too, or newline between) in `content` by stars, one a
 * character, without regard to case (BEHAVIOUR, Messages). Words that overlap are starred out all.
 */
export function starOut(content: string, words: string): string {
  if (words === '') return content;
  if (lexicon.words !== words) lexicon = { words, byFirst: byFirstCharacter(words) };
  const folded = foldCase(content);
  let starred = '';
  let starredTo = 0;
  for (let index = 0; index < content.length; ) {
    const character = String.fromCodePoint(content.codePointAt(index) ?? 0);
    const first = String.fromCodePoint(folded.codePointAt(index) ?? 0);
    const word = lexicon.byFirst.get(first)?.find((candidate) => folded.startsWith(candidate, index));
    if (word) starredTo = Math.max(starredTo, index + word.length);
    starred += index < starredTo ? '*' : character;
    index += character.length;
  }
  return starred;
}

function byFirstCharacter(words: string): Map<string, string[]> {
  const byFirst = new Map<string, string[]>();
  const list = new Set(words.split(/[,\uff0c\r\n]/u).map((word) => foldCase(word.trim())));
  list.delete('');
  for (const word of [...list].sort((one, other) => other.length - one.length)) {
    const first = String.fromCodePoint(word.codePointAt(0) ?? 0);
    byFirst.set(first, [...(byFirst.get(first) ?? []), word]);
  }
  return byFirst;
}

/** Lower case, keeping every character where it stands: what would change its length stays as it is. */
function foldCase(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (character) => {
    const folded = character.toLowerCase();
    return folded.length === character.length ? folded : character;
  }).join('');
}
