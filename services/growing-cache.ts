import { LRUCache } from 'lru-cache';

/**
 * Remembers up to `max` entries, those that were used last. It takes memory for the entries that it has: by `max` the
 * library would reserve 28 bytes for each that may come, 10 MB for all our caches together.
 */
export function growingCache<Key extends {}, Value extends {}>(max: number): LRUCache<Key, Value> {
  return new LRUCache<Key, Value>({ maxSize: max, sizeCalculation: () => 1 });
}
