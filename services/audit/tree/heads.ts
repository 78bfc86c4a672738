import type { ReadingDatabase } from '../../postgres/database.ts';
import { type Checkpoint, checkpointText, readCheckpointText } from './checkpoint.ts';
import { isSignedBy, type NoteSigner, type NoteVerifier, noteOf, readNote, signatureLine } from './note.ts';

/** A signed head of the tree, as it is kept and given to others. */
export interface Head extends Checkpoint {
  /** The signed note, with the cosignatures that it has got. */
  readonly note: string;
  /** When it was signed, in milliseconds since 1970. */
  readonly signed: number;
}

interface HeadRow {
  readonly origin: string;
  readonly size: string | number;
  readonly note: string;
  readonly signed: Date;
}

/** A stored head whose note is none, or is that of another head. */
export class ChangedHead extends Error {
  override readonly name = 'ChangedHead';
  readonly origin: string;
  readonly size: number;

  constructor(origin: string, size: number) {
    super(`the stored head of the first ${size} events of ${origin} was changed: npm run verify says more`);
    this.origin = origin;
    this.size = size;
  }
}

/** Signs a head. */
export function signHead(signer: NoteSigner, { size, root }: Omit<Checkpoint, 'origin'>): string {
  const text = checkpointText({ origin: signer.name, size, root });
  return noteOf(text, [signatureLine(signer, text)]);
}

/**
 * Reads a head that somebody kept.
 * @throws Error if it is none, or the verifier has not signed it, in words for who gave it
 */
export function openHead(note: string, verifier: NoteVerifier): Checkpoint {
  const opened = readNote(note);
  const checkpoint = readCheckpointText(opened.text);
  if (!isSignedBy(opened, verifier)) {
    throw new Error(`the head of ${checkpoint.origin} is not signed by the key of ${verifier.name}`);
  }
  return checkpoint;
}

/** Whether a verifier has signed a stored head; a broken signature is none. */
export function isHeadSignedBy({ note }: Pick<Head, 'note'>, verifier: NoteVerifier): boolean {
  try {
    return isSignedBy(readNote(note), verifier);
  } catch {
    return false;
  }
}

/** The notes in a text that holds several, one after the other, as a file that heads are appended to. */
export function notesIn(text: string): string[] {
  return text.match(/(?:[^—\n][^\n]*\n)+\n(?:— [^\n]*\n)+/gu) ?? [];
}

/** The head that was signed last, under whatever origin; undefined if there is none. @throws ChangedHead */
export async function latestHead(database: ReadingDatabase): Promise<Head | undefined> {
  const { rows } = await database.query<HeadRow>(
    'select origin, size, note, signed from audit.heads order by signed desc limit 1',
  );
  return rows[0] && headOf(rows[0]);
}

/** The names under which heads were signed. */
export async function originsOf(database: ReadingDatabase): Promise<string[]> {
  const { rows } = await database.query<{ origin: string }>(
    'select distinct origin from audit.heads order by origin',
  );
  return rows.map(({ origin }) => origin);
}

/** The heads that were signed under one origin. */
export class Heads {
  readonly #database: ReadingDatabase;
  readonly #origin: string;

  constructor(database: ReadingDatabase, origin: string) {
    this.#database = database;
    this.#origin = origin;
  }

  /** How many events the greatest head is of, by its row; 0 if there is none. */
  async greatestSize(): Promise<number> {
    const { rows } = await this.#database.query<{ size: string | number }>(
      'select coalesce(max(size), 0) as size from audit.heads where origin = $1',
      [this.#origin],
    );
    return Number(rows[0]?.size ?? 0);
  }

  /** The greatest head, of at most `size` events; undefined if there is none. @throws ChangedHead */
  async last(size = Number.MAX_SAFE_INTEGER): Promise<Head | undefined> {
    const { rows } = await this.#database.query<HeadRow>(
      'select origin, size, note, signed from audit.heads where origin = $1 and size <= $2 order by size desc limit 1',
      [this.#origin, size],
    );
    return rows[0] && headOf(rows[0]);
  }

  /** The smallest head of more than `size` events. @throws ChangedHead */
  async next(size: number): Promise<Head | undefined> {
    const { rows } = await this.#database.query<HeadRow>(
      'select origin, size, note, signed from audit.heads where origin = $1 and size > $2 order by size limit 1',
      [this.#origin, size],
    );
    return rows[0] && headOf(rows[0]);
  }

  async add(size: number, note: string): Promise<void> {
    await this.#database.query('insert into audit.heads (origin, size, note) values ($1, $2, $3)', [
      this.#origin,
      size,
      note,
    ]);
  }

  /** Adds the line of a cosignature to a head, unless another process did so. */
  async cosign({ size, note }: Head, line: string): Promise<void> {
    await this.#database.query(
      'update audit.heads set note = note || $3 where origin = $1 and size = $2 and note = $4',
      [this.#origin, size, line, note],
    );
  }

  /** Keeps of heads older than a day the last one of each hour. */
  async thin(): Promise<void> {
    await this.#database.query(
      `delete from audit.heads h using (
         select size, row_number() over (partition by date_trunc('hour', signed) order by size desc) as place
           from audit.heads where origin = $1 and signed < now() - interval '1 day'
       ) older
       where h.origin = $1 and h.size = older.size and older.place > 1`,
      [this.#origin],
    );
  }
}

function headOf({ origin, size, note, signed }: HeadRow): Head {
  const checkpoint = checkpointIn(note);
  if (checkpoint?.origin !== origin || checkpoint.size !== Number(size))
    throw new ChangedHead(origin, Number(size));
  return { ...checkpoint, note, signed: signed.getTime() };
}

function checkpointIn(note: string): Checkpoint | undefined {
  try {
    return readCheckpointText(readNote(note).text);
  } catch {
    return undefined;
  }
}
