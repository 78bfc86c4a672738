/** The beginning of an address: a scheme, a path, or a host name. */
const beginning = String.raw`(?:[a-z][a-z\d+.\-]*:|\/|[\w\-]+\.)`;
/** The rest of an address in parentheses: no blank; parentheses in pairs, as in Wikipedia's addresses. */
const rest = String.raw`[^\s\(\)]*(?:\([^\s\(\)]*\)[^\s\(\)]*)*`;
/** A character of an address within a text: visible ASCII, but no bracket or quote, which end it. */
const visible = String.raw`[[!-~]--[\(\)\[\]<>"']]`;

/**
 * The parts of a message's content that a client reads and a person does not, in the forms of the API
 * document: the targets of `![](url)`, `[text](url)`, `file[name\tsize](url)`, `voice(url)` and
 * `@[name](uid)`, addresses in the text, `[表情X]`, and the words `file` and `voice` of their forms.
 * Each alternative begins with a literal and stops at a bracket, so that searching takes linear time.
 */
const markup = new RegExp(
  [
    String.raw`(?<=\]|\bvoice)\((?:${beginning}${rest}|\d{1,16})\)`,
    String.raw`https?:\/\/${visible}+`,
    // Without a scheme, like uploads: only with a path, since people also write `//` as a mark.
    String.raw`\/\/[\w\-]+(?:\.[\w\-]+)*(?::\d{1,5})?\/${visible}*`,
    String.raw`\[表情\d{1,3}\]`,
    String.raw`\bfile(?=\[)`,
    String.raw`\bvoice(?=\()`,
  ].join('|'),
  'giv',
);

/** Changes the text of a content, but not its addresses, uids and markup. */
export function changeText(content: string, change: (text: string) => string): string {
  let changed = '';
  let end = 0;
  for (const { 0: kept, index } of content.matchAll(markup)) {
    changed += change(content.slice(end, index)) + kept;
    end = index + kept.length;
  }
  return changed + change(content.slice(end));
}
