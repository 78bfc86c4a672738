import { describe, expect, test } from 'vitest';
import { auditUse } from '../../services/audit/audit-use.ts';

const argumentsOf = (...words: string[]) => {
  const { type, data } = auditUse('replay', words);
  return type === 'AuditUsed' ? data.arguments : undefined;
};

describe('the record of a question about the past', () => {
  test('has the words of the question as they were given', () => {
    const words = [
      '--about',
      '9',
      '--type',
      'MemberMuted,MemberUnmuted',
      '--since',
      '2026-11-27T10:00+08:00',
    ];
    expect(argumentsOf(...words)).toEqual(words);
  });

  test.each([
    [
      ['--to', 'postgres://bubble:s3cret@db/bubble'],
      ['--to', 'postgres://bubble:***@db/bubble'],
    ],
    [
      ['--to', 'postgres://bubble:p@ss@db/bubble'],
      ['--to', 'postgres://bubble:***@db/bubble'],
    ],
    [['--to=esdb://admin:changeit@es:2113?tls=true'], ['--to=esdb://admin:***@es:2113?tls=true']],
    [
      ['--from', 'postgres://db/bubble?password=s3cret&user=a'],
      ['--from', 'postgres://db/bubble?password=***&user=a'],
    ],
    [
      ['user/get', '--username', 'tom', '--password', 's3cret'],
      ['user/get', '--username', 'tom', '--password', '***'],
    ],
    [
      ['--password=s3cret', 'x'],
      ['--password=***', 'x'],
    ],
    [['query=user/get?username=tom&password=s3cret'], ['query=user/get?username=tom&password=***']],
    [['query=login/findpass --code 123456 --newpass s'], ['query=login/findpass --code *** --newpass ***']],
    [['query=group/join?token=abc'], ['query=group/join?token=***']],
    [[`--to=postgres://bubble:${'s'.repeat(2_000)}@db`], ['--to=postgres://***']],
  ])('leaves the secrets out of %j', (words, shown) => {
    expect(argumentsOf(...words)).toEqual(shown);
  });

  test('is short, whatever the question is', () => {
    const shown = argumentsOf(...Array.from({ length: 5_000 }, () => 'pass'.repeat(5_000)));
    expect(shown).toHaveLength(50);
    expect(shown?.[0]).toHaveLength(200);
  });
});
