import type { Client } from 'pg';
import { mapInTurns } from '../../followers/in-turns.ts';
import { int4s, int8s, type Statement, texts } from '../../postgres/pipeline.ts';
import type { ConsumerSession, IndexConsumer, NumberedRecord } from '../index/consumer.ts';
import type { FullTile, GrowingTree } from './growing-tree.ts';
import { leafHash } from './hashes.ts';
import { insertUnread } from './stored-unread.ts';
import { canonicalText, textOf, treeEntryOf } from './tree-entry.ts';
import { TreeStore } from './tree-store.ts';
import { unreadTexts } from './unread-text.ts';

/** Makes the Merkle tree over the log, together with its index. */
export const treeConsumer: IndexConsumer = {
  async reset(client) {
    await client.query('truncate audit.digests, audit.tiles, audit.unread');
  },

  async begin(client: Client, next: number) {
    const store = new TreeStore(client);
    if ((await store.size()) !== next) return undefined;
    return new Extending(await store.growing(next));
  },
};

class Extending implements ConsumerSession {
  readonly #tree: GrowingTree;

  constructor(tree: GrowingTree) {
    this.#tree = tree;
  }

  async extend(events: readonly NumberedRecord[]): Promise<Statement[]> {
    if (events.length === 0) return [];
    const leaves = await mapInTurns(events, ({ record }) => {
      const canonical = canonicalText(record);
      const entry = treeEntryOf(record, canonical);
      const isUnread = unreadTexts(record, canonical).length > 0;
      return { digest: entry.digest, hash: leafHash(textOf(entry)), unread: isUnread ? [record] : [] };
    });
    const first = this.#tree.size;
    const full = leaves.flatMap(({ hash }) => this.#tree.append(hash));
    const digests = insertDigests(
      first,
      leaves.map(({ digest }) => digest),
    );
    const unread = leaves.flatMap((leaf) => leaf.unread);
    return [
      digests,
      ...(full.length === 0 ? [] : [insertTiles(full)]),
      ...(unread.length === 0 ? [] : [insertUnread(unread)]),
    ];
  }
}

function insertDigests(first: number, digests: readonly string[]): Statement {
  return {
    name: 'audit digests',
    text: `insert into audit.digests (first, digests) values ($1, decode($2, 'hex'))`,
    values: [first, digests.join('')],
  };
}

function insertTiles(tiles: readonly FullTile[]): Statement {
  return {
    name: 'audit tiles',
    text: `insert into audit.tiles (level, index, hash)
      select level, index, decode(hash, 'hex') from unnest($1::int[], $2::bigint[], $3::text[]) t (level, index, hash)`,
    values: [
      int4s(tiles.map(({ level }) => level)),
      int8s(tiles.map(({ index }) => index)),
      texts(tiles.map(({ hash }) => Buffer.from(hash).toString('hex'))),
    ],
  };
}
