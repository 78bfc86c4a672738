import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { refusalFor } from '../../services/api/envelope.ts';
import { LogFailure } from '../../services/log/log.ts';

test('a full disk is named in the answer', async () => {
  // Every write to this device fails as one to a full disk does.
  const error = await writeFile('/dev/full', 'x').catch((cause: unknown) => cause);
  const { reason, message } = refusalFor(error);
  expect([reason, message]).toEqual(['noSpace', '服务器存储空间不足,请稍后再试']);
});

test('a full disk of the database is named in the answer', () => {
  const error = Object.assign(new Error('could not extend file'), { code: '53100' });
  expect(refusalFor(error).reason).toBe('noSpace');
});

test('a full disk of the log is named in the answer, unless the event may be in the log', () => {
  const cause = Object.assign(new Error('could not extend file'), { code: '53100' });
  const failed = (kind: LogFailure['kind']) => refusalFor(new LogFailure(kind, 'refused', { cause })).reason;
  expect([failed('unavailable'), failed('doubtful')]).toEqual(['noSpace', 'notReady']);
});
