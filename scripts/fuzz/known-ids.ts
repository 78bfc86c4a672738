import type { Random } from './random.ts';

/** A chat with one of its messages, as requests name them. */
export interface KnownChat {
  readonly id: number;
  readonly type: 'friend' | 'group';
  readonly mid: number | undefined;
}

/** Of each kind the latest are kept. */
const maxKept = 40;

/** The keys of answers whose values later requests give back. */
const keys = ['gid', 'mid', 'nid', 'position', 'src', 'captcha_id', 'token', 'username'] as const;
/** `added`: the uid of a person whom no lane plays, who may be deleted. */
export type IdKind = (typeof keys)[number] | 'rid' | 'x-position' | 'added';

/** The ids that answers returned and later requests use. */
export class KnownIds {
  readonly #values = new Map<string, (string | number)[]>();
  readonly #chats: KnownChat[] = [];

  /** Takes every id out of an answer's data. */
  learn(value: unknown): void {
    if (Array.isArray(value)) {
      for (const one of value.slice(0, maxKept)) this.learn(one);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        const kind = keys.find((known) => known === key) ?? (key === 'id' && 'weights' in value ? 'rid' : '');
        if (kind !== '' && (typeof inner === 'string' || typeof inner === 'number')) this.add(kind, inner);
        else this.learn(inner);
      }
    }
  }

  add(kind: IdKind, value: string | number): void {
    const values = this.#values.get(kind) ?? [];
    if (!values.includes(value)) values.push(value);
    if (values.length > maxKept) values.shift();
    this.#values.set(kind, values);
  }

  addChat(chat: KnownChat): void {
    this.#chats.push(chat);
    if (this.#chats.length > maxKept) this.#chats.shift();
  }

  pick(kind: IdKind, random: Random): string | number | undefined {
    return random.pickAny(this.#values.get(kind) ?? []);
  }

  pickChat(random: Random): KnownChat | undefined {
    return random.pickAny(this.#chats);
  }
}
