import { createHmac, hash, hkdfSync } from 'node:crypto';

/** What version 1 of the program recorded: an unkeyed sha-256. */
const unkeyed = /^[0-9a-f]{64}$/;

/**
 * Hashes of what was sent under a uniqueId, by which a repeat is distinguished from a misuse. They are keyed: from a
 * log alone nobody finds out what was said by trying texts. The key is derived from the APP_SECRET and the
 * installation, so that all processes have it and nothing more must be kept. Each hash names its key, since
 * the APP_SECRET may be replaced.
 */
export class ContentHashes {
  readonly #key: Buffer;
  readonly #name: string;

  constructor(secret: string, installation: string) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, installation, 'bubble-im content hash', 32));
    this.#name = createHmac('sha256', this.#key).update('name').digest('base64url').slice(0, 8);
  }

  /** The hash to record of a content. */
  of(content: string): string {
    return `${this.#name}.${createHmac('sha256', this.#key).update(content).digest('base64url')}`;
  }

  /** Whether a recorded hash is that of a content; undefined if it was made with a key that is not known any more. */
  isOf(recorded: string, content: string): boolean | undefined {
    if (unkeyed.test(recorded)) return recorded === hash('sha256', content, 'hex');
    return recorded.startsWith(`${this.#name}.`) ? recorded === this.of(content) : undefined;
  }
}
