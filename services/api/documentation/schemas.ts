import { z } from 'zod';

/** A JSON Schema, or any part of a document. */
export type Shape = Readonly<Record<string, unknown>>;

/** Where a document has its schemas, and where zod has those of one conversion. */
const components = '#/components/schemas/';
const definitions = '#/$defs/';

/** The schemas of a document. One with an id in its metadata is a component, which the others refer to. */
export class Schemas {
  readonly #components = new Map<string, Shape>();

  /**
   * The schema of a call's parameters or answer: the `shown` of a parameter goes before zod's own.
   * @throws TypeError if two different schemas have the same id
   */
  shapeOf(schema: z.ZodType, io: 'input' | 'output'): Shape {
    const { $schema: _, $defs = {}, ...shape } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    for (const [id, component] of Object.entries($defs)) this.#keep(id, tidy(component));
    return tidy(shape);
  }

  /** All components, by their names. */
  get components(): Shape {
    return Object.fromEntries([...this.#components].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  #keep(id: string, component: Shape): void {
    const kept = this.#components.get(id);
    if (kept !== undefined && JSON.stringify(kept) !== JSON.stringify(component))
      throw new TypeError(`two different schemas have the id ${id}`);
    this.#components.set(id, component);
  }
}

function tidy(shape: Shape): Shape {
  const { shown, ...rest } = shape;
  const entries = Object.entries(isShape(shown) ? { ...shown, ...annotations(rest) } : rest);
  return Object.fromEntries(
    entries.flatMap(([key, value]): [string, unknown][] => {
      if (isUnbounded(key, value)) return [];
      if (key === '$ref' && typeof value === 'string') return [[key, value.replace(definitions, components)]];
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
