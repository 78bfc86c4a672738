import { expect, test } from 'vitest';
import { z } from 'zod';
import { settingUpdate } from '../../contracts/http/setting.ts';
import { Schemas, type Shape } from '../../services/api/documentation/schemas.ts';
import { servedContracts } from '../support/contracts.ts';

/** A value at a bound, and the next one beyond it. */
type Bound = readonly [allowed: unknown, refused: unknown];

const text = (length: unknown) => 'x'.repeat(Number(length));
const list = (length: unknown) => Array.from({ length: Number(length) }, (_, index) => index + 1);

/** The bounds that the API page shows for a parameter. A pattern has none of its own. */
function boundsOf({ type, enum: values, pattern, ...shape }: Shape): Bound[] {
  if (values !== undefined || pattern !== undefined) return [];
  const { minLength, maxLength, 'x-maxBytes': maxBytes, minItems, maxItems } = shape;
  if (type === 'string') {
    return [
      ...(maxLength === undefined ? [] : [[text(maxLength), text(Number(maxLength) + 1)] as const]),
      ...(maxBytes === undefined ? [] : [[text(maxBytes), `${text(Number(maxBytes) - 1)}é`] as const]),
      ...(Number(minLength ?? 0) > 0 ? [[text(minLength), text(Number(minLength) - 1)] as const] : []),
    ];
  }
  if (type === 'integer') {
    const { exclusiveMinimum, maximum = Number.MAX_SAFE_INTEGER } = shape;
    const {
      minimum = exclusiveMinimum === undefined ? -Number.MAX_SAFE_INTEGER : Number(exclusiveMinimum) + 1,
    } = shape;
    return [
      [minimum, Number(minimum) - 1],
      [maximum, Number(maximum) + 1],
    ];
  }
  if (type !== 'array') return [];
  return [
    ...(maxItems === undefined ? [] : [[list(maxItems), list(Number(maxItems) + 1)] as const]),
    ...(Number(minItems ?? 0) > 0 ? [[list(minItems), list(Number(minItems) - 1)] as const] : []),
  ];
}

/** Its bound in bytes is lower than that in characters. */
const limitedByBytes = 'dirty_words';

/** Lists of names in one text, each of which must be a stream, a category, a type. */
const lists = ['stream', 'category', 'type'];

const schemas = new Schemas();
const bounded = servedContracts().flatMap(({ path, parameters }) =>
  Object.entries<z.ZodType>(parameters.shape)
    .filter(([name]) => name !== limitedByBytes && !lists.includes(name))
    .map(([name, schema]) => ({ path, name, schema, bounds: boundsOf(schemas.shapeOf(schema, 'input')) }))
    .filter(({ bounds }) => bounds.length > 0),
);

test('there are calls with bounded parameters', () => {
  expect(bounded.length).toBeGreaterThan(100);
});

test.each(bounded)('$path takes $name up to its bounds, and no further', ({ schema, bounds }) => {
  for (const [allowed, refused] of bounds) {
    expect(schema.safeParse(allowed)).toMatchObject({ success: true });
    expect(schema.safeParse(refused)).toMatchObject({ success: false });
  }
});

test('a setting takes up to 900,000 bytes of JSON', () => {
  const setting: z.ZodType = settingUpdate.parameters.shape[limitedByBytes] ?? z.never();
  expect(setting.safeParse('坏'.repeat(299_999))).toMatchObject({ success: true });
  expect(setting.safeParse(`${'坏'.repeat(299_999)}x`)).toMatchObject({ success: true });
  expect(setting.safeParse(`${'坏'.repeat(299_999)}xy`)).toMatchObject({ success: false });
});
