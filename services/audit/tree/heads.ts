import type { ReadingDatabase } from '../../postgres/database.ts';
import { type Checkpoint, checkpointText, readCheckpointText } from './checkpoint.ts';
import { isSignedBy, type NoteSigner, type NoteVerifier, noteOf, readNote, signatureLine } from './note.ts';

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
 * Under which name the log has heads now: the one that is asked for, else, if no head has that name or it is unknown here,
 * the one that was used last. Only for that is the time of a head asked: it is not signed, so that who can write to the
 * database can change it unnoticed.
 * @returns undefined if there is no head
 */
export async function presentOrigin(
  database: ReadingDatabase,
  asked: string | undefined,
): Promise<string | undefined> {
  const { rows } = await database.query<{ origin: string }>(
    `select origin from audit.heads group by origin
      order by origin is not distinct from $1::text desc, max(signed) desc, origin limit 1`,
    [asked ?? null],
  );
  return rows[0]?.origin;
}

/**
 * The last head: of those that have the present origin the one of most events, whatever time its row says.
 * @param origin the name of the log, if it is known here (`presentOrigin`)
 * @returns undefined if there is none
 * @throws ChangedHead
 */
export async function latestHead(
  database: ReadingDatabase,
  origin: string | undefined,
): Promise<Head | undefined> {
  const present = await presentOrigin(database, origin);
  return present === undefined ? undefined : new Heads(database, present).last();
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
