import { Uid } from '../../contracts/ids.ts';

/** A closing bracket, with the digits in parentheses that follow it, or an opening bracket. */
const bracket = /\[|\](?:\((\d{1,16})\))?/g;

/**
 * The uids that a content mentions as `@[name](uid)`, in order and without duplicates, in linear time. A name may
 * hold brackets: a mention ends where it is outside most brackets, and at the first of several such places. The name
 * itself does not matter.
 */
export function mentionedUids(content: string): Uid[] {
  const found = new Set<Uid>();
  // A mention ends before the next one begins, so every character is read once.
  for (const part of content.split('@[').slice(1)) {
    let depth = 1;
    let outermost = Number.POSITIVE_INFINITY;
    let digits: string | undefined;
    for (const [text, uid] of part.matchAll(bracket)) {
      depth += text === '[' ? 1 : -1;
      if (uid === undefined || depth >= outermost) continue;
      outermost = depth;
      digits = uid;
    }
    const uid = digits === undefined ? undefined : Uid.safeParse(Number(digits)).data;
    if (uid !== undefined) found.add(uid);
  }
  return [...found];
}

/** A run of visible ASCII; an address lies within one run. */
const run = /[!-~]+/g;

/** `@all` by itself, not within a word. Chinese text may follow without a space. */
const everyone = /(?<![\w.+-])@all(?!\w)/;

/** The beginning of an address: a scheme, or a host's name with a path, query, fragment or port. */
const address = /:\/\/|[\w-]\.[\w-]+[/?#:]/;

/** Whether a content mentions everyone: `@all` by itself, not within a word or an address. */
export function mentionsEveryone(content: string): boolean {
  for (const [text] of content.matchAll(run)) {
    const at = everyone.exec(text)?.index;
    if (at !== undefined && !address.test(text.slice(0, at))) return true;
  }
  return false;
}
