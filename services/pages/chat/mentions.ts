import type { Member } from './members.ts';

/** Members whom a list offers. */
const maxOffered = 8;

/** The beginning of a mention in front of the caret: `@` and some characters. */
const beginning = /@([^\s@]{0,32})$/;

/** The members whose name begins with what is written behind `@` in front of the caret. */
export function completeMention(text: string, caret: number, members: readonly Member[]): Member[] {
  const [, written] = beginning.exec(text.slice(0, caret)) ?? [];
  if (written === undefined) return [];
  return members.filter(({ name }) => name.startsWith(written) && name !== written).slice(0, maxOffered);
}

/** Puts a name in place of the beginning of a mention. */
export function insertMention(text: string, caret: number, name: string): { written: string; caret: number } {
  const before = `${text.slice(0, caret).replace(beginning, '')}@${name} `;
  return { written: before + text.slice(caret), caret: before.length };
}

/** What the API takes as a mention, `@[name](uid)`, in place of each `@name` of a member; the longest name first. */
export function withMentions(text: string, members: readonly Member[]): string {
  const byLength = [...members].sort((one, other) => other.name.length - one.name.length);
  let written = '';
  for (let at = 0; at < text.length; ) {
    const member = text[at] === '@' ? byLength.find(({ name }) => text.startsWith(name, at + 1)) : undefined;
    if (member) {
      written += `@[${member.name.replace(/[[\]]/g, '')}](${member.uid})`;
      at += member.name.length + 1;
    } else {
      written += text[at];
      at++;
    }
  }
  return written;
}
