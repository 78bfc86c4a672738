import type { EventId, Position, StreamName } from '../../log/log.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import { GrowingTree } from './growing-tree.ts';
import { type Hash, hashBytes, leafHash } from './hashes.ts';
import { rootOf } from './proofs.ts';
import { type ReadTile, subtreesIn, tileWidth } from './tiles.ts';
import { type TreeEntry, textOf } from './tree-entry.ts';

/** The first events of a stream, as the index has them. */
export interface StreamBeginning {
  /** The number of the first one in the whole log. */
  readonly number: number;
  /** How many there are, and the revision of the last one. */
  readonly events: number;
  readonly last: number;
}

/** The rows that entries are made of, but their digests. */
interface EntryRow {
  readonly id: EventId;
  readonly recorded: string | number;
  readonly revision: string | number;
  readonly stream: StreamName;
  readonly type: string;
}

/**
 * The tree as Postgres keeps it: the entries are made of the rows of the index and their digests, the hashes of full
 * tiles are in audit.tiles. Everything throws what `pg` throws.
 */
export class TreeStore {
  readonly #database: ReadingDatabase;

  constructor(database: ReadingDatabase) {
    this.#database = database;
  }

  /** How many events the tree has. */
  async size(): Promise<number> {
    const { rows } = await this.#database.query<{ size: string | number }>(
      `select coalesce(max(first + length(digests) / ${hashBytes}), 0) as size
         from (select first, digests from audit.digests order by first desc limit 1) last`,
    );
    return Number(rows[0]?.size ?? 0);
  }

  /** The digests of events from number `first` up to, but not including, `end`; the index may have fewer. */
  async digests(first: number, end: number): Promise<Buffer> {
    const { rows } = await this.#database.query<{ first: string | number; digests: Buffer }>(
      `select first, digests from audit.digests
        where first >= coalesce((select max(first) from audit.digests where first <= $1), 0) and first < $2
        order by first`,
      [first, end],
    );
    const from = Number(rows[0]?.first ?? 0);
    const all = Buffer.concat(rows.map(({ digests }) => digests));
    return all.subarray((first - from) * hashBytes, (end - from) * hashBytes);
  }

  /** The entries of events from number `first` up to, but not including, `end`; the index may have fewer. */
  async entries(first: number, end: number): Promise<TreeEntry[]> {
    const digests = await this.digests(first, end);
    const { rows } = await this.#database.query<EntryRow>(
      `select id, recorded, revision, stream, type from audit.events
        where number >= $1 and number < $2 order by number`,
      [first, end],
    );
    return rows.map(({ id, recorded, revision, stream, type }, index) => ({
      digest: digests.toString('hex', index * hashBytes, (index + 1) * hashBytes),
      ...{ id, recorded: Number(recorded), revision: Number(revision), stream, type },
    }));
  }

  /** The first hashes of a tile. @throws RangeError if the tree has not that many */
  readTile: ReadTile = async (level, index, width) => {
    const first = index * tileWidth;
    const hashes =
      level === 0
        ? (await this.entries(first, first + width)).map((entry) => leafHash(textOf(entry)))
        : await this.tileHashes(level - 1, first, width);
    if (hashes.length < width)
      throw new RangeError(`the tile ${level}/${index} has ${hashes.length} of ${width}`);
    return hashes;
  };

  /** The hashes of full tiles of a level, from index `first` on, up to the first one that is missing. */
  async tileHashes(level: number, first: number, count: number): Promise<Hash[]> {
    const stored = await this.storedTiles(level, first, count);
    const hashes: Hash[] = [];
    for (let hash = stored.get(first); hash; hash = stored.get(first + hashes.length)) hashes.push(hash);
    return hashes;
  }

  /** The hashes of full tiles of a level by their indexes, from index `first` on; some may be missing. */
  async storedTiles(level: number, first: number, count: number): Promise<Map<number, Hash>> {
    const { rows } = await this.#database.query<{ index: string | number; hash: Buffer }>(
      'select index, hash from audit.tiles where level = $1 and index >= $2 and index < $3',
      [level, first, first + count],
    );
    return new Map(rows.map(({ index, hash }) => [Number(index), hash]));
  }

  /** The root of the first `size` events. @throws RangeError if there are not that many */
  root(size: number): Promise<Hash> {
    return rootOf(subtreesIn(this.readTile), size);
  }

  /** The tree of the first `size` events, to grow on. */
  async growing(size: number): Promise<GrowingTree> {
    const levels: (readonly Hash[])[] = [];
    for (let [level, count] = [0, size]; count > 0; level++, count = Math.floor(count / tileWidth)) {
      const width = count % tileWidth;
      levels.push(width === 0 ? [] : await this.readTile(level, Math.floor(count / tileWidth), width));
    }
    return new GrowingTree(size, levels);
  }

  /**
   * Each entry in a line, without its digest, of events from number `first` up to, but not including, `end`: to be
   * compared with `entryLine`.
   */
  async lines(first: number, end: number): Promise<string> {
    const { rows } = await this.#database.query<{ lines: string | null }>(
      `select string_agg(concat_ws(' ', id, recorded, revision, type, stream), E'\\n' order by number) as lines
         from audit.events where number >= $1 and number < $2`,
      [first, end],
    );
    return rows[0]?.lines ?? '';
  }

  /** The events of an id, one for each stream that has it: their numbers and positions. */
  async find(id: EventId): Promise<{ readonly number: number; readonly position: Position }[]> {
    const { rows } = await this.#database.query<{ number: string | number; position: Position }>(
      'select number, position from audit.events where id = $1 order by number',
      [id],
    );
    return rows.map(({ number, position }) => ({ number: Number(number), position }));
  }

  /** Which of these events are in the index before a number. */
  async known(
    events: readonly Pick<TreeEntry, 'id' | 'stream'>[],
    before: number,
  ): Promise<Pick<TreeEntry, 'id' | 'stream' | 'revision'>[]> {
    const { rows } = await this.#database.query<Pick<EntryRow, 'id' | 'stream' | 'revision'>>(
      `select e.id, e.stream, e.revision from unnest($1::uuid[], $2::text[]) asked (id, stream)
         join audit.events e on e.id = asked.id and e.stream = asked.stream and e.number < $3`,
      [events.map(({ id }) => id), events.map(({ stream }) => stream), before],
    );
    return rows.map(({ id, stream, revision }) => ({ id, stream, revision: Number(revision) }));
  }

  /** The events of a stream before a revision, by default all; undefined if the index has none. */
  async beginningOf(stream: StreamName, before?: number): Promise<StreamBeginning | undefined> {
    const { rows } = await this.#database.query<{
      number: string | number | null;
      events: string;
      last: string;
    }>(
      `select min(number) as number, count(*) as events, max(revision) as last from audit.events
        where stream = $1 and ($2::bigint is null or revision < $2)`,
      [stream, before ?? null],
    );
    const [row] = rows;
    if (!row || row.number === null) return undefined;
    return { number: Number(row.number), events: Number(row.events), last: Number(row.last) };
  }

  /** The number of the first event of an id in a stream; undefined if the index has none. */
  async numberOf({ id, stream }: Pick<TreeEntry, 'id' | 'stream'>): Promise<number | undefined> {
    const { rows } = await this.#database.query<{ number: string | number }>(
      'select number from audit.events where id = $1 and stream = $2 order by number limit 1',
      [id, stream],
    );
    return rows[0] && Number(rows[0].number);
  }
}

/** An entry as `TreeStore.lines` gives it. */
export function entryLine({ id, recorded, revision, type, stream }: TreeEntry): string {
  return `${id} ${recorded} ${revision} ${type} ${stream}`;
}
