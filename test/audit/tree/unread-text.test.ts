import { describe, expect, test } from 'vitest';
import { canonicalText } from '../../../services/audit/tree/tree-entry.ts';
import { unreadTexts } from '../../../services/audit/tree/unread-text.ts';
import { parseStored } from '../../../services/log/stored-json.ts';

const unreadIn = (data: string) =>
  unreadTexts({ raw: { data, metadata: '{}' } }, canonicalText({ data: parseStored(data), metadata: {} }));

describe('what of the text of an event reading it leaves out', () => {
  test.each([
    ['the first value of a key that is there twice', '{"uid":7,"uid":2}'],
    ['that of a key within', '{"to":{"gid":1,"gid":1}}'],
    ['that of a key that is written with an escape', '{"\\u0061":1,"a":1}'],
    ['that of a key beside a number that is written shorter', '{"a":1e6,"b":1,"b":2}'],
    ['that of a key which other numbers make up for', '{"n":1e6,"m":1e7,"b":1,"b":1}'],
    ['digits that no double has', '{"uid":2.00000000000000000007}'],
    ['a number that is greater than any double', '{"uid":1e400}'],
    ['the value of a prototype that is there twice', '{"__proto__":1,"__proto__":2}'],
  ])('is found: %s', (_what, text) => {
    expect(unreadIn(text)).toEqual(['data']);
  });

  test.each([
    ['blanks', '{ "uid" : 2 ,\n "to":[ 1, true, null ] }'],
    ['other forms of numbers', '{"a":1.0,"b":1E3,"c":-0,"d":100000000000000000000.0}'],
    ['escapes', '{"text":"\\u4f60\\/\\ud800"}'],
    ['keys that are numbers, which reading puts first', '{"b":1,"2":3,"1":{"__proto__":3}}'],
    ['a string with what a key looks like', '{"a":"\\"a\\":1, \\"a\\":2" }'],
    ['no JSON, which is taken as a whole', '{"uid":7,"uid":2'],
  ])('is nothing for %s', (_what, text) => {
    expect(unreadIn(text)).toEqual([]);
  });
});
