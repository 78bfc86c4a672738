/** A sentence in two languages. `{0}`, `{1}` … stand for values. */
export type Sentence = readonly [from: string, to: string];

/**
 * Recognises sentences with any values, and gives them in the other language.
 * @param sentences each before those that are more general; they have no character that a pattern reads otherwise
 * @param shown a value, as the other language shows it
 * @returns undefined for a text that is none of them
 */
export function createTranslator(
  sentences: readonly Sentence[],
  shown: (value: string) => string = (value) => value,
): (text: string) => string | undefined {
  const patterns = sentences.map(([from, to]) => ({
    pattern: new RegExp(`^${from.replace(/\{\d\}/g, '(.*?)')}$`, 's'),
    to,
  }));
  return (text) => {
    for (const { pattern, to } of patterns) {
      const values = pattern.exec(text)?.slice(1);
      if (values) return to.replace(/\{(\d)\}/g, (_, index) => shown(values[index] ?? ''));
    }
    return undefined;
  };
}
