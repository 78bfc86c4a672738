import { afterAll } from 'vitest';

/** Takes what is to be done when a test, or all tests of a file, are over: the last taken is done first. */
export type AtEnd = (end: () => void | Promise<void>) => void;

/** For what all tests of a file or of a `describe` share. */
export function afterAllTests(): AtEnd {
  const ends: (() => void | Promise<void>)[] = [];
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });
  return (end) => void ends.push(end);
}
