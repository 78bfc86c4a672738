import { afterEach, expect, test, vi } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import { defaultSettings } from '../../contracts/settings.ts';
import { countAddressRequest, countCommand } from '../../services/edge/rate-limit.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** One request a second from the address of that number. @throws Refusal for a second one, if it is remembered */
const request = (number: number) =>
  countAddressRequest(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, { limit_address: 1 });

test('the requests of 100,000 addresses are counted at once; with one more the least recent is forgotten', () => {
  // All within one second.
  vi.useFakeTimers({ toFake: ['performance'] });
  for (let number = 0; number < 100_000; number++) request(number);
  expect(() => request(0)).toThrow(Refusal);
  request(100_000);
  expect(() => request(2)).toThrow(Refusal);
  request(1);
});

test('a person may make 60,000 commands at once, and then 1,000 a minute', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const command = (bytes = 100) => countCommand('9', bytes, defaultSettings);
  for (let count = 0; count < 60_000; count++) command();
  expect(() => command()).toThrow(Refusal);
  vi.advanceTimersByTime(60_000);
  // One of 8 KB counts as nine.
  command(8_192);
  for (let count = 0; count < 991; count++) command();
  expect(() => command()).toThrow(Refusal);
});
