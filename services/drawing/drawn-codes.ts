import { LRUCache } from 'lru-cache';

/** Bytes of QR codes and of their contents that are kept: some 2,000 codes. */
const maxBytes = 8 * 1024 * 1024;

/** QR codes by their content. Those that were not asked for longest are forgotten. */
export function keepDrawnCodes(): LRUCache<string, Uint8Array> {
  return new LRUCache<string, Uint8Array>({
    maxSize: maxBytes,
    sizeCalculation: (picture, content) => picture.length + 2 * content.length,
  });
}
