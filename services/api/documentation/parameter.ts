import type { Shape } from './schemas.ts';

/** A parameter in the path or the query, as the document has it. @param shape its schema, which may have a description */
export function parameterOf(
  place: 'path' | 'query',
  name: string,
  { shape, required, example }: { shape: Shape; required: boolean; example: unknown },
): Shape {
  const { description, ...schema } = shape;
  return {
    ...{ name, in: place, required, schema },
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { example }),
  };
}
