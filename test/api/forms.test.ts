import { describe, expect, test } from 'vitest';
import {
  maxElements,
  maxNames,
  maxPairs,
  readForm,
  readFormBody,
  readText,
} from '../../services/api/form.ts';

describe('a form', () => {
  test.each([
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1+2&b=%2B%26%3D', { a: '1 2', b: '+&=' }],
    ['a[]=1', { a: ['1'] }],
    ['a[]=1&a[]=2', { a: ['1', '2'] }],
    ['a%5B%5D=1&a%5B%5D=2', { a: ['1', '2'] }],
    ['a=1&a=2', { a: ['1', '2'] }],
    ['a=1&a[]=2', { a: ['1', '2'] }],
    ['a[0]=1&a[1]=2', { a: ['1', '2'] }],
    ['a[1]=2&a[0]=1', { a: ['1', '2'] }],
    ['a[9999999999]=1', { a: ['1'] }],
    ['a[x]=1', { a: { 0: '1' } }],
    ['a[0][x]=1', { a: { 0: '1' } }],
    ['a=1&&=&b', { a: '1', '': '', b: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['[]=1&[=2', { '[]': '1', '[': '2' }],
    ['', {}],
  ])('%j gives %j', (text, given) => {
    expect(readForm(text)).toEqual(given);
  });

  test('gives what is called like a part of every object under its own name alone', () => {
    const form = readForm('__proto__=1&constructor=2&a[__proto__]=3');
    expect(Object.keys(form)).toEqual(['__proto__', 'constructor', 'a']);
    expect(Object.getPrototypeOf(form)).toBe(Object.prototype);
  });

  test.each([
    ['a=100%&b=%e7%8c%ab', { a: '100%', b: '猫' }],
    ['a=%zz%e7%8c%ab%4', { a: '%zz猫%4' }],
    ['a=%25zz%', { a: '%zz%' }],
  ])('keeps a broken escape as it is, and reads all else: %j', (text, given) => {
    expect(readForm(text)).toEqual(given);
  });

  test('holds half a character in place of a text that is no UTF-8', () => {
    const form = readForm('a=caf%e9&b=caf%c3%a9&c=%&%e9=1');
    expect(form).toMatchObject({ a: '\udfff', b: 'café', c: '%' });
  });

  test('is read from bytes, escaped or not', () => {
    expect(readFormBody(Buffer.from('a=猫&b=%e7%8c%ab'))).toEqual({ a: '猫', b: '猫' });
    expect(readFormBody(Buffer.from('a=caf\xe9&b=1', 'latin1'))).toEqual({ a: '\udfff', b: '1' });
    expect(readText(Buffer.from('caf\xe9', 'latin1'))).toBe('\udfff');
  });

  test('gives 2,000 elements of a list, and 1,000 names', () => {
    const list = (count: number) => readForm('a[]=1&'.repeat(count)).a;
    expect(list(maxElements)).toHaveLength(2000);
    expect(list(maxElements + 1)).toHaveLength(2000);
    const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}=`).join('&');
    expect(Object.keys(readForm(names(maxNames)))).toHaveLength(1000);
    expect(Object.keys(readForm(names(maxNames + 1)))).toHaveLength(1000);
  });

  test('gives its first 5,000 pairs', () => {
    expect(maxPairs).toBe(5_000);
    const last = (pairs: number) => readForm(`${'a=&'.repeat(pairs - 1)}last=1`).last;
    expect(last(5_000)).toBe('1');
    expect(last(5_001)).toBeUndefined();
  });

  test('parses lists with descending indexes as fast as others of that length', () => {
    const falling = ['a', 'b', 'c'].flatMap((name) =>
      Array.from({ length: 2000 }, (_, index) => `${name}[${1999 - index}]=`),
    );
    const rising = falling.toReversed();
    const quickest = (text: string) =>
      Math.min(
        ...Array.from({ length: 9 }, () => {
          const begun = performance.now();
          readForm(text);
          return performance.now() - begun;
        }),
      );
    expect(quickest(falling.join('&'))).toBeLessThan(10 * quickest(rising.join('&')));
    expect(readForm(falling.join('&')).a).toHaveLength(2000);
  });
});
