import type sharp from 'sharp';

let loading: Promise<typeof sharp> | undefined;

/** The library that draws pictures, loaded with the first one: it takes 300 ms and 40 MB. */
export function loadSharp(): Promise<typeof sharp> {
  loading ??= import('sharp').then(({ default: loaded }) => {
    // There are many small pictures: one thread each, and no cache between them.
    loaded.concurrency(1);
    loaded.cache(false);
    return loaded;
  });
  return loading;
}
