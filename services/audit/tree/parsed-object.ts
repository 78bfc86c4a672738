import { z } from 'zod';
import type { Json } from '../../log/log.ts';

/** Data or metadata of an event, as they were parsed: a schema of their keys would leave out `__proto__`. */
export const ParsedObject = z.custom<Json>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  {
    error: ({ input }) =>
      input === undefined ? 'expected an object, received undefined' : 'must be an object',
  },
);
