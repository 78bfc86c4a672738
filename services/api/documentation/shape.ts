import { z } from 'zod';

/** A JSON Schema, or any part of a document. */
export type Shape = Readonly<Record<string, unknown>>;

/** The schema of what a call takes or answers, as the page shows it: the pieces' own `shown` before what zod makes of them. */
export function shapeOf(schema: z.ZodType, io: 'input' | 'output'): Shape {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return tidy(shape);
}

function tidy(shape: Shape): Shape {
  const { shown, ...rest } = shape;
  const entries = Object.entries(isShape(shown) ? { ...shown, ...told(rest) } : rest);
  return Object.fromEntries(
    entries.flatMap(([key, value]): [string, unknown][] => {
      if (isUnbounded(key, value)) return [];
      if (Array.isArray(value)) return [[key, value.map((item) => (isShape(item) ? tidy(item) : item))]];
      return [[key, isShape(value) ? tidy(value) : value]];
    }),
  );
}

/** What is said beside the shape itself. */
function told({ description, default: byDefault }: Shape): Shape {
  return {
    ...(description === undefined ? {} : { description }),
    // A flag is a boolean to us, and 0 or 1 to whoever sends it.
    ...(byDefault === undefined ? {} : { default: byDefault === false ? 0 : byDefault }),
  };
}

/** What says nothing: the bounds of all numbers, the items of an empty tuple. */
function isUnbounded(key: string, value: unknown): boolean {
  if (key === 'prefixItems') return Array.isArray(value) && value.length === 0;
  return (key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
