import type { Member } from './members.ts';
import { session } from './session.ts';

/** How a message mentions everyone: the owner and the managers of a group may. */
export const everyone = 'all';

/** Names that a list offers. */
const maxOffered = 8;

/** `@` that is not within a word or an address. */
const at = '(?<![\\w.+-])@';
/** The beginning of a mention in front of the caret: `@` and some characters. */
const beginning = new RegExp(`${at}([^\\s@]{0,32})$`);
const begins = new RegExp(at, 'y');

/** What is written behind `@` in front of the caret; undefined if no mention begins there. */
export function mentionBegun(text: string, caret: number): string | undefined {
  return beginning.exec(text.slice(0, caret))?.[1];
}

/** The members whose names begin with what is written. */
export function membersNamed(written: string, members: readonly Member[]): Member[] {
  const sought = written.toLowerCase();
  return members
    .filter(({ uid, name }) => uid !== session.value?.uid && name.toLowerCase().startsWith(sought))
    .slice(0, maxOffered);
}

/** Puts a name in place of the beginning of a mention. */
export function insertMention(text: string, caret: number, name: string): { written: string; caret: number } {
  const before = `${text.slice(0, caret).replace(beginning, '')}@${name} `;
  return { written: before + text.slice(caret), caret: before.length };
}

/**
 * What the API takes as a mention, `@[name](uid)`, in place of each `@name` of a member; the longest name first.
 * @param chosen the members whom the person chose from the list: of two with one name, these are meant
 */
export function withMentions(text: string, members: readonly Member[], chosen: ReadonlySet<number>): string {
  const inOrder = [...members].sort(
    (one, other) =>
      other.name.length - one.name.length || Number(chosen.has(other.uid)) - Number(chosen.has(one.uid)),
  );
  let written = '';
  for (let index = 0; index < text.length; ) {
    begins.lastIndex = index;
    const member = begins.test(text)
      ? inOrder.find(({ name }) => name !== '' && text.startsWith(name, index + 1))
      : undefined;
    written += member ? `@[${member.name.replace(/[[\]]/g, '')}](${member.uid})` : text[index];
    index += member ? member.name.length + 1 : 1;
  }
  return written;
}

/** Whether a content mentions the one who is signed in. */
export function mentionsMe(content: string): boolean {
  const all = new RegExp(`${at}${everyone}(?!\\w)`).test(content);
  return all || new RegExp(`@\\[[^\\[\\]\\n]*\\]\\(${session.value?.uid}\\)`).test(content);
}
