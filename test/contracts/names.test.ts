import { describe, expect, test } from 'vitest';
import * as parameter from '../../contracts/http/parameters.ts';

describe.each([
  ['a nickname', parameter.nickname],
  ['a group’s name', parameter.groupname],
])('%s', (_, name) => {
  test.each([
    ['Han', '𠮷野家 猫猫'],
    ['Latin with an accent apart', 'e\u0301milie O’Neil'],
    ['Arabic', 'محمد علي'],
    ['Persian with a joiner', 'می\u200cخواهم'],
    ['Thai with marks', 'สมชาย น้ำ'],
    ['Hindi', 'क्\u200dष नमस्ते'],
    ['Hangul', '한글 ᄒ'],
    ['emoji with joiners', '👨‍👩‍👧‍👦❤️👍🏽'],
    ['a flag of tags', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'],
    ['signs', '[VIP]★乙~'],
    ['blanks around it', ' tom '],
  ])('may be %s', (_, text) => {
    expect(name.safeParse(text).data).toBe(text);
  });

  test.each([
    ['blanks', '   '],
    ['wide blanks', '\u3000\u00a0\u2003'],
    ['a line break', 'tom\njerry'],
    ['a carriage return', 'tom\rjerry'],
    ['a line separator', 'tom\u2028jerry'],
    ['a tab', 'tom\tjerry'],
    ['an escape', 'tom\u001b[31m'],
    ['a control character of one byte more', 'tom\u009b31m'],
    ['an override of the direction', '\u202egpj.exe'],
    ['an isolate', 'tom\u2066jerry'],
    ['a mark of direction', 'admin\u200f'],
    ['a Hangul filler', '\u3164'],
    ['a Hangul filler beside letters', 'tom\u3164'],
    ['other fillers', '\uffa0\u115f\u1160'],
    ['zero width', 'to\u200bm'],
    ['a byte order mark', 'tom\ufeff'],
    ['a soft hyphen', 'to\u00adm'],
    ['joiners alone', '\u200d\u200c\ufe0f'],
    ['an empty braille pattern', '\u2800'],
    ['a mark without a letter', '\u0301'],
    ['nothing', ''],
    ['65 characters', 'x'.repeat(65)],
  ])('is refused that has or is %s', (_, text) => {
    expect(name.safeParse(text).success).toBe(false);
  });

  test('may have 64 characters', () => {
    expect(name.safeParse('😀'.repeat(64)).success).toBe(true);
  });
});
