import { afterEach, expect, test, vi } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import { countAddressRequest } from '../../services/edge/rate-limit.ts';

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
