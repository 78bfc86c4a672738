import type { Database } from '../../postgres/database.ts';
import type { HeadReceiver } from './head-sender.ts';
import { type Head, Heads } from './heads.ts';
import { isSignedBy, type NoteVerifier, readNote } from './note.ts';
import { notOfLog, type OwnTree } from './own-tree.ts';
import { consistencyProof } from './proofs.ts';
import { subtreesIn } from './tiles.ts';
import { TreeStore } from './tree-store.ts';

/** How long a witness may take to answer, in milliseconds, and how much it may answer, in bytes. */
const timeoutMs = 10_000;
const maxAnswerBytes = 65_536;

export interface WitnessOptions {
  /** Where its calls are: `…/add-checkpoint` is under it. */
  readonly url: string;
  /** By which key it cosigns. */
  readonly verifier: NoteVerifier;
  readonly database: Database;
  readonly tree: OwnTree;
}

/** Sends heads to a witness (C2SP tlog-witness), with the proof that each goes on from the one before. */
export class Witness implements HeadReceiver {
  readonly failure = 'the witness did not cosign a head of the audit log';
  readonly #options: WitnessOptions;
  /** Whether it was asked since the start: what it knows tells whether the log was set back meanwhile. */
  #asked = false;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /**
   * Sends a head that the witness has not cosigned yet, and keeps the cosignature with it. The first one after a start is
   * sent in any case.
   * @throws Contradiction if the witness knows a head that is not of this log; Error if it does not cosign
   */
  async send(head: Head, signal: AbortSignal): Promise<void> {
    const { database, verifier } = this.#options;
    const isCosigned = isSignedBy(readNote(head.note), verifier);
    if (isCosigned && this.#asked) return;
    const heads = new Heads(database, head.origin);
    const known = await this.#known(head.origin);
    // It answers what it has cosigned.
    const answer = await this.#ask(head, known > head.size ? 0 : known, signal);
    if (typeof answer === 'number') {
      // Another process may have sent a later head.
      const last = await heads.last();
      if (last && last.size > head.size) return this.send(last, signal);
      await this.#options.tree.mustHold(this.#name, { size: answer });
      throw new Error(`it knows a head of ${answer} events, of which no head was signed here yet`);
    }
    this.#asked = true;
    if (!isCosigned) await heads.cosign(head, answer);
    await this.#remember(head.origin, head.size);
  }

  get #name(): string {
    return `the witness ${this.#options.verifier.name}`;
  }

  /**
   * @param older the size of the head that the witness has cosigned last
   * @returns the line of its cosignature; or the size of the head that it has cosigned last, if that is of more events
   */
  async #ask(head: Head, older: number, signal: AbortSignal, again = true): Promise<string | number> {
    const { database, url } = this.#options;
    const tree = subtreesIn(new TreeStore(database).readTile);
    const proof = await consistencyProof(tree, older, head.size);
    const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
    const answer = await fetch(`${url}/add-checkpoint`, {
      method: 'POST',
      body: `old ${older}\n${lines}\n${head.note}`,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await boundedText(answer);
    if (answer.status === 200) return this.#ownLine(head, text);
    const known = answer.status === 409 ? /^(0|[1-9]\d{0,15})\n?$/.exec(text)?.[1] : undefined;
    const size = known === undefined ? undefined : Number(known);
    if (size !== undefined && size > head.size) return size;
    if (size !== undefined && size !== older && again) return this.#ask(head, size, signal, false);
    // The head does not go on from the one that it has cosigned, or is another one of as many events.
    if (older > 0 && (answer.status === 422 || size === older)) throw notOfLog(this.#name, older);
    throw new Error(`it answered ${answer.status}`);
  }

  /**
   * The line that the known key has signed, one, as others take no note of hundreds; those of unknown keys are ignored.
   * @throws Error if there is none, or it is wrong
   */
  #ownLine({ note }: Head, answer: string): string {
    const { verifier } = this.#options;
    const own = answer.split(/(?<=\n)/).find((line) => {
      const signed = readNote(note + line);
      return isSignedBy({ ...signed, signatures: signed.signatures.slice(-1) }, verifier);
    });
    if (own === undefined) throw new Error(`its answer has no cosignature of ${verifier.name}`);
    return own;
  }

  async #known(origin: string): Promise<number> {
    const { rows } = await this.#options.database.query<{ size: string | number }>(
      'select size from audit.witnesses where url = $1 and origin = $2',
      [this.#options.url, origin],
    );
    return Number(rows[0]?.size ?? 0);
  }

  async #remember(origin: string, size: number): Promise<void> {
    await this.#options.database.query(
      `insert into audit.witnesses (url, origin, size) values ($1, $2, $3)
       on conflict (url, origin) do update set size = excluded.size`,
      [this.#options.url, origin, size],
    );
  }
}

/** @throws Error if an answer is longer than any that fits */
async function boundedText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
