import { once } from 'node:events';

/** Writes are put together up to this many characters: one write for each line costs more than the line. */
const maxHeldCharacters = 65_536;

/** Writes lines to stdout, at the pace of its reader, so that memory stays level. */
export class Output {
  readonly #signal: AbortSignal;
  #held = '';

  /** @param signal that of `interruptible`: after it nothing is waited for */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Adds whole lines. @returns a promise to wait for if the reader is slower */
  write(lines: string): Promise<void> | undefined {
    this.#held += lines;
    return this.#held.length >= maxHeldCharacters ? this.flush() : undefined;
  }

  /** Hands over what is held. */
  async flush(): Promise<void> {
    const text = this.#held;
    this.#held = '';
    if (text === '' || process.stdout.destroyed || process.stdout.writableEnded) return;
    if (process.stdout.write(text)) return;
    await once(process.stdout, 'drain', { signal: this.#signal }).catch(() => undefined);
  }
}

/** Without the characters that are escaped: this tells it of a line in a fraction of the time that their classes take. */
const plain = /^[ -~\u00a0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\uffff]*$/;

/** Whether a text holds nothing that a terminal would obey, and no end of a line. */
export function isPlain(text: string): boolean {
  return plain.test(text);
}

/**
 * Escapes what a terminal would obey: people's texts are in the data, and JSON escapes only some control
 * characters. The escapes are those of JSON, so that a line of JSON keeps its meaning.
 */
export function escapeControls(line: string): string {
  if (isPlain(line)) return line;
  const hexadecimal = (character: string) => character.charCodeAt(0).toString(16).padStart(4, '0');
  return line.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${hexadecimal(character)}`,
  );
}
