import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { starOut } from '../../services/domain/dirty-words.ts';

describe('starring out dirty words', () => {
  it('leaves everything as it is where there are none', () => {
    expect(starOut('坏话 bad', '')).toBe('坏话 bad');
    expect(starOut('坏话 bad', ' , \n,')).toBe('坏话 bad');
  });

  it('gives one star a character', () => {
    expect(starOut('说坏话了', '坏话')).toBe('说**了');
    expect(starOut('a😀b', '😀')).toBe('a*b');
  });

  it('takes commas, Chinese ones too, and lines between words', () => {
    expect(starOut('甲乙丙丁戊', '甲,乙\uff0c丙\r\n丁')).toBe('****戊');
  });

  it('does not regard case, nor spaces around a word', () => {
    expect(starOut('BaD bad', ' Bad ')).toBe('*** ***');
  });

  it('keeps spaces within a word', () => {
    expect(starOut('a b ab', 'a b')).toBe('*** ab');
  });

  it('stars out words that overlap, touch or lie within another', () => {
    expect(starOut('abcd', 'abc,bcd')).toBe('****');
    expect(starOut('aaaa', 'aa')).toBe('****');
    expect(starOut('xabcy', 'abc,b')).toBe('x***y');
    expect(starOut('xaby', 'abc,b')).toBe('xa*y');
  });

  it('takes a word for what it says, not for a pattern', () => {
    expect(starOut('a.c abc $1', '.,$')).toBe('a*c abc *1');
  });

  it('keeps each character where it stands, also where lower case is longer', () => {
    expect(starOut('İİbad', 'bad')).toBe('İİ***');
  });

  it('follows the words as they change', () => {
    expect(starOut('ab', 'a')).toBe('*b');
    expect(starOut('ab', 'b')).toBe('a*');
    expect(starOut('ab', 'a')).toBe('*b');
  });

  it('stars out exactly the characters of every occurrence', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '坏', '😀', ' '), maxLength: 12 });
    fc.assert(
      fc.property(letters, fc.array(letters, { maxLength: 4 }), (content, words) => {
        const characters = [...content];
        const starred = characters.map(() => false);
        for (const word of words.map((raw) => [...raw.trim().toLowerCase()])) {
          if (word.length === 0) continue;
          for (let from = 0; from + word.length <= characters.length; from++) {
            if (word.some((character, at) => characters[from + at]?.toLowerCase() !== character)) continue;
            starred.fill(true, from, from + word.length);
          }
        }
        const expected = characters.map((character, at) => (starred[at] ? '*' : character)).join('');
        expect(starOut(content, words.join(','))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});
