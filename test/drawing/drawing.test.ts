import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, expect, test } from 'vitest';
import { createDrawing } from '../../services/drawing/drawing.ts';

const drawing = createDrawing();
afterAll(() => drawing.close());

const share = (of: string, maxWaiting = 10) => ({ of, maxWaiting });
/** A text of 1 KB, another each time. */
const content = (number: number) => `${number}`.padEnd(1024, 'x');

test('a code is drawn once for those who ask for it, at once or later', async () => {
  const [one, other] = await Promise.all([
    drawing.code('same', share('a')),
    drawing.code('same', share('b')),
  ]);
  const later = await drawing.code('same', share('a', 0));
  expect(Buffer.from(one).equals(other)).toBe(true);
  expect(later).toEqual(one);
  expect(drawing.drawn).toBe(1);
});

test.each([
  ['QR codes', (number: number) => drawing.code(content(number), share('a'))],
  ['captchas', () => drawing.captcha(share('a'))],
])('%s are drawn beside the main thread', async (_, draw) => {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const begun = performance.now();
  delay.enable();
  for (let number = 0; number < 20; number++) await draw(number);
  delay.disable();
  // Drawn here, each picture would hold the loop for its whole time.
  const each = (performance.now() - begun) / 20;
  expect(delay.percentile(50) / 1e6).toBeLessThan(Math.max(5, each / 2));
});

test('one picture is drawn at a time, 50 wait, and the next is refused', async () => {
  const first = drawing.captcha(share('tom'));
  await expect(drawing.captcha(share('jerry', 0))).rejects.toMatchObject({ reason: 'tooMany' });
  const refused: number[] = [];
  const waiting = Array.from({ length: 51 }, (_, number) =>
    drawing.captcha(share(`${number}`)).catch(() => refused.push(number)),
  );
  await new Promise(setImmediate);
  expect(refused).toEqual([50]);
  await Promise.all([first, ...waiting]);
});

test('a caller that asks for many has the rest refused, and delays nobody else', async () => {
  const flood = Array.from({ length: 15 }, (_, number) =>
    drawing.code(content(100 + number), share('flood')),
  );
  const settled = Promise.allSettled(flood);
  await drawing.code(content(200), share('tom'));
  const outcomes = await settled;
  expect(outcomes.map(({ status }) => status)).toEqual([
    ...Array(11).fill('fulfilled'),
    ...Array(4).fill('rejected'),
  ]);
  expect(outcomes.at(-1)).toMatchObject({ reason: { reason: 'tooMany' } });
});
