import { describe, expect, it } from 'vitest';
import { byInitial, initialOf } from '../../services/queries/initials.ts';

describe('the initial of a name', () => {
  it.each([
    ['猫猫', 'M'],
    ['小老鼠', 'X'],
    ['喵星人', 'M'],
    ['吕布', 'L'],
    ['安安', 'A'],
    ['〇', 'L'],
  ])('is the first letter of the pinyin of its first character: %s', (name, initial) => {
    expect(initialOf(name)).toBe(initial);
  });

  it.each([
    ['单雄信', 'S'],
    ['曾国藩', 'Z'],
    ['仇英', 'Q'],
    ['单', 'S'],
    ['解缙', 'X'],
    ['查良镛', 'Z'],
    ['尉迟恭', 'Y'],
  ])('reads it as a surname: %s', (name, initial) => {
    expect(initialOf(name)).toBe(initial);
  });

  it.each([
    ['Tom', 'T'],
    ['jerry', 'J'],
    ['  anna', 'A'],
    ['émile', 'E'],
  ])('is a Latin letter itself: %s', (name, initial) => {
    expect(initialOf(name)).toBe(initial);
  });

  it.each(['9号', '😀', '', '  ', '!', 'Ωmega', 'Яша', 'さくら', '\ud800', '\u0000'])(
    'is # for all else: %j',
    (name) => {
      expect(initialOf(name)).toBe('#');
    },
  );
});

describe('a list by initials', () => {
  const entry = (uid: number, initials: string) => ({ uid, initials });

  it('goes from A to Z, # last, with uids as keys', () => {
    const list = byInitial([entry(3, '#'), entry(1, 'Z'), entry(2, 'A'), entry(11, 'Z')]);
    expect(Object.keys(list)).toEqual(['A', 'Z', '#']);
    expect(list.Z).toEqual({ 1: entry(1, 'Z'), 11: entry(11, 'Z') });
  });

  it('is empty without people', () => {
    expect(byInitial([])).toEqual({});
  });
});
