/** A planted text: `p` two uids who alone may read it, or `g` a group whose members may. */
const planted = /planted-(?:p(\d+)-(\d+)|g(\d+))-\d+z/g;

/**
 * Texts that name who may read them. They are put into private messages, remarks and applications, so that an
 * answer or a frame that holds one shows by it whether its reader may have it.
 */
export class PlantedTexts {
  #count = 0;
  /** Who is, was or may just become a member, by gid. */
  readonly #members = new Map<number, Set<number>>();

  /** A text that these two alone may read; with one uid given twice, that person alone. */
  forTwo(one: number, other: number): string {
    return `planted-p${one}-${other}-${++this.#count}z`;
  }

  /** A text that the members of a group alone may read. */
  forGroup(gid: number): string {
    return `planted-g${gid}-${++this.#count}z`;
  }

  /** From now on these people may read what is said in the group. @returns takes it back */
  admit(gid: number, uids: readonly number[]): () => void {
    const members = this.#members.get(gid) ?? new Set();
    this.#members.set(gid, members);
    const added = uids.filter((uid) => !members.has(uid));
    for (const uid of added) members.add(uid);
    return () => {
      for (const uid of added) members.delete(uid);
    };
  }

  /** The first planted text that the reader may not read; undefined if there is none. */
  forbidden(text: string, reader: number | undefined): string | undefined {
    for (const [found, one, other, gid] of text.matchAll(planted)) {
      const isMember = reader !== undefined && this.#members.get(Number(gid))?.has(reader) === true;
      const isOfTwo = reader !== undefined && (Number(one) === reader || Number(other) === reader);
      if (!isMember && !isOfTwo) return found;
    }
    return undefined;
  }
}
