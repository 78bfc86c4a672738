import { glob, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { codes } from '../../contracts/codes.ts';
import { noticeInEnglish } from '../../services/pages/chat/notices-in-english.ts';
import { refusalInEnglish } from '../../services/pages/shared/refusals-in-english.ts';

const chinese = /\p{Script=Han}/u;

/** The refusals that the server's sources word, with a number in place of each value. */
async function refusals(): Promise<{ code: number; message: string }[]> {
  const found = [];
  for await (const file of glob('services/**/*.ts', { exclude: ['services/pages/**'] })) {
    const source = await readFile(file, 'utf8');
    for (const [, reason = '', quoted, template] of source.matchAll(
      /new Refusal\(\s*'(\w+)',\s*(?:'([^']*)'|`((?:[^`$]|\$\{[^}]*\})*)`)/g,
    )) {
      const code = Object.entries(codes).find(([name]) => name === reason)?.[1].code ?? 0;
      found.push({ code, message: quoted ?? template?.replace(/\$\{[^}]*\}/g, '7') ?? '' });
    }
  }
  return found;
}

test('every refusal that the server words has words on pages in English', async () => {
  const all = await refusals();
  expect(all.length).toBeGreaterThan(60);
  const unknown = all.filter(({ code, message }) => chinese.test(refusalInEnglish(code, message)));
  expect(unknown).toEqual([]);
});

test('every code has words in English', () => {
  const unknown = Object.entries(codes).filter(([, { code, msg }]) =>
    chinese.test(refusalInEnglish(code, msg)),
  );
  expect(unknown.map(([name]) => name)).toEqual([]);
});

test.each([
  [2, '获取验证码过于频繁,请60秒后再试', 'A code was sent just now: try again in 60 seconds'],
  [2, '参数nickname不合法', 'nickname is not valid'],
  [2, '参数at不合法: no such time', 'at is not valid: no such time'],
  [1, '缺少参数code', 'code is missing'],
  [429, '创建群组过于频繁,请在12分钟后再试', 'Too often: try again in 12 minutes'],
  [505, '消息已超过可撤回时间', 'It is too late to take this message back'],
  [2, '服务器的新说法', '服务器的新说法'],
])('%i %s is: %s', (code, message, words) => {
  expect(refusalInEnglish(code, message)).toBe(words);
});

test('every notice of a group has words on pages in English', async () => {
  const source = await readFile('projections/notice-texts.ts', 'utf8');
  const notices = Array.from(source.matchAll(/return `([^`]*)`;/g), ([, template = '']) =>
    template.replace(/\$\{[^}]*\}/g, 'Tom'),
  );
  expect(notices).toHaveLength(7);
  expect(notices.filter((notice) => chinese.test(noticeInEnglish(notice) ?? notice))).toEqual([]);
});

test.each([
  ['汤姆创建了群聊,邀请了', '汤姆 made the group'],
  ['Tom邀请Jerry、Spike等12人加入了群聊', 'Tom brought Jerry, Spike and others, 12 in all into the group'],
  ['Jerry被Tom解除禁言', 'Tom let Jerry speak again'],
])('the notice %s is: %s', (notice, words) => {
  expect(noticeInEnglish(notice)).toBe(words);
});
