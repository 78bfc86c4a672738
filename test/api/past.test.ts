import { afterEach, expect, test, vi } from 'vitest';
import { askThePast } from '../../services/api/audit/past.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('one question about the past is worked on at a time, 10 wait, and the next is refused', async () => {
  const held = Promise.withResolvers<void>();
  let underWay = 0;
  const asked = Array.from({ length: 11 }, (_, number) =>
    askThePast(async () => {
      underWay++;
      await held.promise;
      return number;
    }),
  );
  await expect(askThePast(async () => 11)).rejects.toMatchObject({ reason: 'tooMany' });
  expect(underWay).toBe(1);
  held.resolve();
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 11 }, (_, number) => number));
});

test('a question about the past is given up after 10 s', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  // The platform's own signal does not follow the test's clock.
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('too long', 'TimeoutError')), ms);
    return controller.signal;
  });
  let outcome: unknown = 'under way';
  const asked = askThePast(
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  ).catch((error: unknown) => {
    outcome = error;
  });
  await vi.advanceTimersByTimeAsync(9_999);
  expect(outcome).toBe('under way');
  await vi.advanceTimersByTimeAsync(1);
  await asked;
  expect(outcome).toMatchObject({ reason: 'tooSlow' });
});
