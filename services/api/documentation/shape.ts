import { z } from 'zod';

/** A JSON Schema, or any part of a document. */
export type Shape = Readonly<Record<string, unknown>>;

/** The schema of a call's parameters or answer for the page: the `shown` of a parameter goes before zod's own. */
export function shapeOf(schema: z.ZodType, io: 'input' | 'output'): Shape {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return tidy(shape);
}

function tidy(shape: Shape): Shape {
  const { shown, ...rest } = shape;
  const entries = Object.entries(isShape(shown) ? { ...shown, ...annotations(rest) } : rest);
  return Object.fromEntries(
    entries.flatMap(([key, value]): [string, unknown][] => {
      if (isUnbounded(key, value)) return [];
      if (Array.isArray(value)) return [[key, value.map((item) => (isShape(item) ? tidy(item) : item))]];
      return [[key, isShape(value) ? tidy(value) : value]];
    }),
  );
}

/** The description and default of a shape. */
function annotations({ description, default: byDefault }: Shape): Shape {
  return {
    ...(description === undefined ? {} : { description }),
    // A flag is a boolean in the program, and 0 or 1 in requests.
    ...(byDefault === undefined ? {} : { default: byDefault === false ? 0 : byDefault }),
  };
}

/** Whether a property says nothing: the range of all numbers, the items of an empty tuple. */
function isUnbounded(key: string, value: unknown): boolean {
  if (key === 'prefixItems') return Array.isArray(value) && value.length === 0;
  return (key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
