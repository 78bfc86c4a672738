import type { Client } from 'pg';
import { inTransaction } from '../../postgres/transaction.ts';
import { auditorName } from './audit-task.ts';
import type { IndexRow, TypeInCategory } from './rows.ts';

/** How many people of events are fetched at once. */
const fetchedPeople = 10_000;

const columns =
  'number, recorded, revision, acted_for, mid, id, position, stream, type, actor, correlation, causation, conversation';

/** A row of audit.events as `pg` gives it: numbers of 8 bytes are texts, and so all is. */
export type StoredRow = { readonly [Column in keyof IndexRow]: string | null };

/** A person whom the index says an event to be about. */
export interface StoredPerson {
  readonly number: number;
  readonly uid: string;
}

/** How many rows behind the last event are read at once. */
const surplusRows = 1_000;

/** The index as a transaction sees it, while the auditor goes on. */
export class StoredIndex {
  readonly #client: Pick<Client, 'query'>;
  /** The position up to which the log is in the index. */
  readonly checkpoint: string;
  #people: StoredPerson[] = [];

  private constructor(client: Pick<Client, 'query'>, checkpoint: string) {
    this.#client = client;
    this.checkpoint = checkpoint;
  }

  /**
   * Hands the index to `use`; undefined if no auditor has worked yet.
   * @throws what `pg` and `use` throw
   */
  static read<Result>(
    client: Client,
    use: (index: StoredIndex) => Promise<Result>,
  ): Promise<Result | undefined> {
    return inTransaction(
      client,
      async () => {
        const { rows } = await client.query<{ position: string }>(
          'select position from followers.checkpoint where name = $1',
          [auditorName],
        );
        if (rows[0] === undefined) return undefined;
        // The key of the table has the person first, so that all of them are sorted once.
        await client.query(
          'declare people no scroll cursor for select number, uid from audit.people order by number, uid',
        );
        return use(new StoredIndex(client, rows[0].position));
      },
      'begin isolation level repeatable read read only',
    );
  }

  /** The rows of events from number `first` up to, but not including, `end`. */
  async events(first: number, end: number): Promise<StoredRow[]> {
    const { rows } = await this.#client.query<StoredRow>(
      `select ${columns} from audit.events where number >= $1 and number < $2 order by number`,
      [first, end],
    );
    return rows;
  }

  /** The rows of numbers that no event has, if events have those from 0 up to, but not including, `end`. */
  async *surplus(end: number): AsyncGenerator<StoredRow, void, undefined> {
    await this.#client.query(
      `declare surplus no scroll cursor for
         select ${columns} from audit.events where number < 0 or number >= ${end} order by number`,
    );
    for (;;) {
      const { rows } = await this.#client.query<StoredRow>(`fetch ${surplusRows} from surplus`);
      if (rows.length === 0) return;
      yield* rows;
    }
  }

  /** The people of the events below a number that were not given yet, in the order of the numbers. */
  async people(end: number): Promise<StoredPerson[]> {
    while ((this.#people.at(-1)?.number ?? 0) < end && (await this.#fetchPeople()));
    const given = this.#people.filter(({ number }) => number < end);
    this.#people = this.#people.slice(given.length);
    return given;
  }

  /** The people who were not given yet. */
  async *peopleLeft(): AsyncGenerator<StoredPerson, void, undefined> {
    do {
      yield* this.#people;
      this.#people = [];
    } while (await this.#fetchPeople());
  }

  /** @returns false if there are no more */
  async #fetchPeople(): Promise<boolean> {
    const { rows } = await this.#client.query<{ number: string; uid: string }>(
      `fetch ${fetchedPeople} from people`,
    );
    for (const { number, uid } of rows) this.#people.push({ number: Number(number), uid });
    return rows.length > 0;
  }

  /** Which types the index says to lie in which categories. */
  async types(): Promise<TypeInCategory[]> {
    const { rows } = await this.#client.query<TypeInCategory>('select category, type from audit.types');
    return rows;
  }
}
