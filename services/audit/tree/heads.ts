import type { ReadingDatabase } from '../../postgres/database.ts';
import { type Checkpoint, checkpointText, readCheckpointText } from './checkpoint.ts';
import {
  isSignedBy,
  type NoteSigner,
  type NoteVerifier,
  noteOf,
  readNote,
  renamed,
  signatureLine,
} from './note.ts';

/** A signed head of the tree, as it is kept and given to others. */
export interface Head extends Checkpoint {
  /** The signed note, with the cosignatures that it has got. */
  readonly note: string;
  /** When it was signed, by its row, in milliseconds since 1970. It is not in the note: nobody has signed it. */
  readonly signed: number;
}

/** A head of `size` events whose row says a later time than that of the head of `than` events, or than it is now. */
export interface MisdatedHead {
  readonly size: number;
  readonly than: number | 'now';
}

interface HeadRow {
  readonly origin: string;
  readonly size: string | number;
  readonly note: string;
  readonly signed: Date;
}

/** A stored head whose note is none, is that of another head, or is not signed. */
export class ChangedHead extends Error {
  override readonly name = 'ChangedHead';
  readonly origin: string;
  readonly size: number;

  constructor(origin: string, size: number, what = 'was changed') {
    super(`the stored head of the first ${size} events of ${origin} ${what}: npm run verify says more`);
    this.origin = origin;
    this.size = size;
  }
}

/** The columns of a row. A time that no `Date` can be is brought to one, as somebody may have written any. */
const columns = `origin, size, note, least(greatest(signed, 'epoch'), '9999-12-31Z') as signed`;

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

/**
 * The last head of a log: of those under its name the one of most events, whatever time its row says. A head under another
 * name is none of this log, also if there is no other: who can write to the database can add one that nobody has signed.
 * @param verifier by whose key it must be signed; undefined if none is known here
 * @returns undefined if there is none
 * @throws ChangedHead, also if the key has not signed it
 */
export async function latestHead(
  database: ReadingDatabase,
  origin: string,
  verifier?: NoteVerifier,
): Promise<Head | undefined> {
  const head = await new Heads(database, origin).last();
  if (head && verifier && !isHeadSignedBy(head, verifier))
    throw new ChangedHead(origin, head.size, 'is not signed by the key that is known here');
  return head;
}

/** Another name under which heads are stored. */
export interface OtherOrigin {
  readonly origin: string;
  /** Whether the key of this log has signed the last of them, under that name; undefined if no key is known here. */
  readonly signed: boolean | undefined;
}

/** The other names under which heads are stored than that of the log. @throws what `pg` throws */
export async function otherOriginsThan(
  database: ReadingDatabase,
  origin: string,
  verifier: NoteVerifier | undefined,
): Promise<OtherOrigin[]> {
  const { rows } = await database.query<HeadRow>(
    `select distinct on (origin) ${columns} from audit.heads where origin <> $1 order by origin, size desc`,
    [origin],
  );
  return rows.map(({ origin, note }) => ({
    origin,
    signed: verifier && isHeadSignedBy({ note }, renamed(verifier, origin)),
  }));
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
      `select ${columns} from audit.heads where origin = $1 and size <= $2 order by size desc limit 1`,
      [this.#origin, size],
    );
    return rows[0] && headOf(rows[0]);
  }

  /** The smallest head of more than `size` events. @throws ChangedHead */
  async next(size: number): Promise<Head | undefined> {
    const { rows } = await this.#database.query<HeadRow>(
      `select ${columns} from audit.heads where origin = $1 and size > $2 order by size limit 1`,
      [this.#origin, size],
    );
    return rows[0] && headOf(rows[0]);
  }

  /** The heads whose times cannot be: they are later than that of the next greater head, or to come. In order. */
  async misdated(): Promise<MisdatedHead[]> {
    const { rows } = await this.#database.query<{ size: string | number; later: string | number | null }>(
      `select size, later from (
         select size, signed, lead(size) over bigger as later, lead(signed) over bigger as signed_later
           from audit.heads where origin = $1 window bigger as (order by size)
       ) head
       where signed > coalesce(signed_later, clock_timestamp()) order by size`,
      [this.#origin],
    );
    return rows.map(({ size, later }) => ({
      size: Number(size),
      than: later === null ? 'now' : Number(later),
    }));
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
