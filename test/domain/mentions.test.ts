import { describe, expect, it } from 'vitest';
import { mentionedUids, mentionsEveryone } from '../../services/domain/mentions.ts';

/** How long something takes at its quickest, in milliseconds: a busy machine delays some of the nine times. */
function milliseconds(work: () => unknown): number {
  const times = Array.from({ length: 9 }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
  return Math.min(...times);
}

describe('who is mentioned', () => {
  it.each([
    ['@[乙](2) @[丙](3)@[乙](2)', [2, 3]],
    ['@[[VIP]乙](2) 你好', [2]],
    ['@[[VIP]乙](2)@[乙[1]](3)', [2, 3]],
    ['@[[乙](2)', [2]],
    ['@[乙]丙](2)', [2]],
    ['@[](2)', [2]],
    // Text after a mention is not part of it.
    ['@[乙](2) 见 [链接](3)', [2]],
    ['[乙](2) 乙](3) @乙(4) @[乙] (5) @[乙](x) @[乙](0) @[乙](12345678901234567)', []],
  ])('%s: %j', (content, uids) => {
    expect(mentionedUids(content)).toEqual(uids);
  });

  it('is whose uid ends the mention, though a name looks like the end of one', () => {
    expect(mentionedUids('@[x](5)](7)')).toEqual([7]);
    expect(mentionedUids('@[x](5) y](7)')).toEqual([7]);
    expect(mentionedUids('@[[x](5) y](7)')).toEqual([7]);
  });

  it('is found in linear time, with any brackets in a message of 8 KB', () => {
    const texts = ['@['.repeat(4096), '@[]'.repeat(2730), `@[${'](1'.repeat(2700)}`, '['.repeat(8192)];
    for (const content of texts) {
      // At 0.05 ms for a message of ordinary text the quadratic search took 70 ms.
      expect(milliseconds(() => mentionedUids(content))).toBeLessThan(10);
    }
  });
});

describe('@all', () => {
  it.each(['@all', '@all 开会', '大家好@all开会', '(@all)', '看https://x.com/a 然后@all', '和/或 @all'])(
    'mentions everyone in %s',
    (content) => {
      expect(mentionsEveryone(content)).toBe(true);
    },
  );

  it.each([
    '@allen',
    '@all_',
    'tom@all.com',
    '@ all',
    '@ALL',
    'https://x.com/@all',
    '看https://medium.com/@all?x=@all 吧',
    'www.x.com/@all',
    'https://@all',
    'http://x.com:80/a/@all',
    'x.com?to=@all',
  ])('mentions nobody in %s', (content) => {
    expect(mentionsEveryone(content)).toBe(false);
  });

  it('is searched in linear time', () => {
    for (const content of ['a.'.repeat(4096), '@all'.repeat(2048), `${'x.com/'.repeat(1360)}@all`]) {
      expect(milliseconds(() => mentionsEveryone(content))).toBeLessThan(10);
    }
  });
});
