import { expect, test } from 'vitest';
import { accounts, inbox, newPhone } from './codes-harness.ts';

test('the inbox shows the last 20 codes of a phone, and the last 100 of all phones', async () => {
  const phone = newPhone();
  for (let code = 0; code <= 20; code++) await inbox.send(phone, 'register', `${code}`);
  const codesOf = (messages: Awaited<ReturnType<typeof inbox.latest>>) => messages.map(({ code }) => code);
  expect(codesOf(await inbox.sentTo(phone))).toEqual(
    Array.from({ length: 20 }, (_, index) => `${20 - index}`),
  );
  await accounts.pool.query(
    `insert into accounts.sms_inbox (phone, type, code)
     select (13800000000 + number)::text, 'register', number::text
       from generate_series(1, 101) as numbers (number) order by numbers.number`,
  );
  expect(codesOf(await inbox.latest())).toEqual(Array.from({ length: 100 }, (_, index) => `${101 - index}`));
});
