import { expect, test } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import { readParameters } from '../../contracts/http/contract.ts';
import { servedContracts } from '../support/contracts.ts';

const strict = servedContracts().filter((contract) => contract.strict);

const cases = strict.flatMap(({ path, parameters, example }) =>
  Object.keys(parameters.shape).map((name) => ({ path, name, parameters, given: example.parameters })),
);

function refusalOf({ name, parameters, given }: (typeof cases)[number], value: unknown): string {
  try {
    readParameters(parameters, { ...given, [name]: value }, true);
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  return 'none';
}

test.each(cases)('$path: $name says what would be right if it is given twice', (one) => {
  const words = `参数${one.name}不合法: must be one value, given once`;
  // As `at=1&at=2` and `at[a]=1` are read.
  expect(refusalOf(one, ['1', '2'])).toBe(words);
  expect(refusalOf(one, { a: '1' })).toBe(words);
});

test.each(cases)('$path: $name says what would be right if it is too long', (one) => {
  expect(refusalOf(one, '\u{4e00}'.repeat(3_000))).toMatch(/不合法: (?!Invalid)\S/);
});
