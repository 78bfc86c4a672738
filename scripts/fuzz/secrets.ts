import type { RunningProgram } from '../bench/program.ts';
import { type Person, password } from './cast.ts';
import type { Redact } from './curl.ts';
import type { Secrets } from './judging.ts';

/** The secrets of a run: whose they are, and how they are hidden in what is printed. */
export class RunSecrets implements Secrets {
  readonly app: string;
  readonly #key: string;
  readonly #people: Person[] = [];

  constructor({ key, secret }: RunningProgram) {
    this.app = secret;
    this.#key = key;
  }

  /** Their tokens are secrets from now on, also those that they get later. */
  add(people: readonly Person[]): void {
    this.#people.push(...people);
  }

  tokenOwner(text: string): number | undefined {
    return this.#people.find(({ token }) => text.includes(token))?.uid;
  }

  readonly redact: Redact = (text) => {
    let shown = text.replaceAll(this.app, '$APP_SECRET').replaceAll(this.#key, '$APP_KEY');
    for (const { token, uid } of this.#people) shown = shown.replaceAll(token, `$TOKEN_OF_${letters(uid)}`);
    return shown.replaceAll(password, '$PASSWORD');
  };
}

/** A number in letters, since the names of variables must differ. */
function letters(uid: number): string {
  return [...String(uid)].map((digit) => 'ABCDEFGHIJ'[Number(digit)]).join('');
}
