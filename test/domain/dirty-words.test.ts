import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { starOut } from '../../services/domain/dirty-words.ts';

describe('starring out dirty words', () => {
  it('leaves everything as it is if there are none', () => {
    expect(starOut('坏话 bad', '')).toBe('坏话 bad');
    expect(starOut('坏话 bad', ' , \n,')).toBe('坏话 bad');
  });

  it('gives one star a character', () => {
    expect(starOut('说坏话了', '坏话')).toBe('说**了');
    expect(starOut('a😀b', '😀')).toBe('a*b');
  });

  it('accepts commas, Chinese ones too, and lines between words', () => {
    expect(starOut('甲乙丙丁戊', '甲,乙\uff0c丙\r\n丁')).toBe('****戊');
  });

  it('does not regard case, nor spaces around a word', () => {
    expect(starOut('BaD bad', ' Bad ')).toBe('*** ***');
  });

  it('keeps spaces within a word', () => {
    expect(starOut('a b ab', 'a b')).toBe('*** ab');
  });

  it('stars out words that overlap, touch or are within another', () => {
    expect(starOut('abcd', 'abc,bcd')).toBe('****');
    expect(starOut('aaaa', 'aa')).toBe('****');
    expect(starOut('xabcy', 'abc,b')).toBe('x***y');
    expect(starOut('xaby', 'abc,b')).toBe('xa*y');
  });

  it('reads a word literally, not as a pattern', () => {
    expect(starOut('a.c abc $1', '.,$')).toBe('a*c abc *1');
  });

  it('keeps the place of each character, also if lower case is longer', () => {
    expect(starOut('İİbad', 'bad')).toBe('İİ***');
  });

  it('follows the words as they change', () => {
    expect(starOut('ab', 'a')).toBe('*b');
    expect(starOut('ab', 'b')).toBe('a*');
    expect(starOut('ab', 'a')).toBe('*b');
  });

  it('finds words among very many, one within the beginning of another', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `w${index.toString(36)}`).join(',');
    expect(starOut('w0 wffz x wf w', many)).toBe('** ***z x ** w');
  });

  it.each([
    ['a picture', '![](//im.example/upload/images/202104/bad0.png)'],
    ['a picture that is described', '![x](/upload/images/202104/bad0.png)'],
    ['a file', 'file[x.pdf\t7.15 KB](//im.example/upload/files/202104/bad0.pdf)'],
    ['a voice', '听voice(//im.example/upload/files/202104/bad0.amr)'],
    ['a link', '[x](https://example.com/bad?坏=bad#bad)'],
    ['a link in two brackets', '[x](https://example.com/wiki/bad_(bad))'],
    ['a link without a scheme', '[x](www.bad.com/bad)'],
    ['an address in the text', '看http://example.com/bad，好'],
    ['an upload’s address in the text', 'img[//127.0.0.1:8787/upload/images/202104/bad0.png]'],
    ['a mention', '@[x](10) @[[x]](10)'],
    ['a face', '[表情10]'],
  ])('spares what is no text of %s', (_, content) => {
    expect(starOut(content, 'bad,坏,10,https,example,file,voice,表情')).toBe(content);
  });

  it('stars out the visible text of a file, a link, a mention', () => {
    expect(starOut('file[bad.pdf\t7 KB](/bad) [bad](/bad) @[bad](7)', 'bad')).toBe(
      'file[***.pdf\t7 KB](/bad) [***](/bad) @[***](7)',
    );
  });

  it.each([
    ['](坏) (bad) x(//bad) [bad]', '](*) (***) x(//***) [***]'],
    ['http://a.example/坏bad', 'http://a.example/****'],
    ['invoice(/bad)', 'invoice(/***)'],
    ['a//bad b', 'a//*** b'],
    ['[表情bad] [表情1234]', '[表情***] [表情1234]'],
  ])('does not mistake text for an address: %s', (content, starred) => {
    expect(starOut(content, 'bad,坏')).toBe(starred);
  });

  it.each([
    ['](a', 2_700],
    ['(a.', 2_700],
    ['voice(', 1_360],
    ['//a.', 2_040],
    ['](a.(b', 1_360],
    ['[', 8_192],
    ['[表情', 1_020],
  ])('takes linear time for a content that repeats %j', (part, count) => {
    const content = part.repeat(count);
    const begin = performance.now();
    expect(starOut(content, '坏')).toBe(content);
    // A search that went back over what it had read would take seconds.
    expect(performance.now() - begin).toBeLessThan(250);
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
