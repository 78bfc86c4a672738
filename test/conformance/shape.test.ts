import { expect, test } from 'vitest';
import { differences } from './shape.ts';

const none = new Set<string>();

test.each([
  [{ a: 1 }, { a: '1' }, ['data.a is string, not an integer']],
  [{ a: 1 }, { a: 1.5 }, ['data.a is number, not an integer']],
  [{ a: 1 }, {}, ['data.a is missing']],
  [{ a: 1 }, { a: 1, b: 2 }, ['data.b is not in the document']],
  [{ a: [{ b: 1 }] }, { a: [{ b: 2 }, { b: '2' }] }, ['data.a[1].b is string, not an integer']],
  [[], [1], ['data is not empty']],
  [[], {}, ['data is an object, not a list']],
  [{ '9': { a: 1 } }, { '12': { a: 1 }, x: { a: 1 } }, ['data.x is no key']],
  [{ M: { '9': { a: 1 } } }, { '#': { '10': { a: null } } }, ['data.#.10.a is object, not an integer']],
  [
    { friend1: { type: 'friend' }, group1: { type: 'group', url: '' } },
    { friend2: { type: 'friend', url: '' } },
    ['data.friend2.url is not in the document'],
  ],
])('by the example %j, %j has %j', (example, actual, expected) => {
  expect(differences([example], actual, none)).toEqual(expected);
});

test('what some entries have, others may lack', () => {
  const example = { '9': { a: 1, b: 1 }, '10': { a: 1 } };
  expect(differences([example], { '1': { a: 2 }, '2': { a: 2, b: 2 } }, none)).toEqual([]);
});

test('what is known to go beyond the document is no difference', () => {
  expect(differences([{ a: 1 }], { a: 1, top: 0 }, new Set(['top']))).toEqual([]);
});
