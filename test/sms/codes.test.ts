import { describe, expect, test } from 'vitest';
import {
  accounts,
  codes,
  inbox,
  letPass,
  newPhone,
  otherProcess,
  refused,
  send,
  sentCode,
  there,
} from './codes-harness.ts';

const wrong = (code: string) => String(100_000 + ((Number(code) + 1) % 900_000));

describe('a code', () => {
  test('has six digits, the first not 0, and comes to the inbox', async () => {
    const phone = newPhone();
    await send(phone, 'forget');
    expect(await inbox.sentTo(phone)).toEqual([
      {
        phone,
        type: 'forget',
        code: expect.stringMatching(/^[1-9]\d{5}$/),
        timestamp: expect.closeTo(Date.now() / 1000, -2),
      },
    ]);
  });

  test('is kept hashed', async () => {
    const phone = newPhone();
    await send(phone);
    const { rows } = await accounts.pool.query(
      'select row_to_json(code)::text as row from accounts.sms_codes code where phone = $1',
      [phone],
    );
    expect(rows[0].row).not.toContain(await sentCode(phone));
  });

  test('stays valid over any number of checks, until it is spent', async () => {
    const phone = newPhone();
    await send(phone);
    const code = await sentCode(phone);
    await codes.check(phone, 'register', code, there);
    const checked = await otherProcess.check(phone, 'register', code, there);
    await codes.spend(checked);
    await expect(codes.check(phone, 'register', code, there)).rejects.toEqual(refused);
    await expect(codes.spend(checked)).rejects.toEqual(refused);
  });

  test('is spent by one of twenty who spend it at once', async () => {
    const phone = newPhone();
    await send(phone);
    const code = await sentCode(phone);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, async (_, index) => {
        const process = index % 2 ? codes : otherProcess;
        await process.spend(await process.check(phone, 'register', code, there));
      }),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('serves one purpose and one phone', async () => {
    const phone = newPhone();
    await send(phone, 'register');
    const code = await sentCode(phone);
    await expect(codes.check(phone, 'forget', code, there)).rejects.toEqual(refused);
    await expect(codes.check(newPhone(), 'register', code, there)).rejects.toEqual(refused);
  });

  test('lives five minutes', async () => {
    const phone = newPhone();
    await send(phone);
    await letPass(phone, '4 minutes 50 seconds');
    const checked = await codes.check(phone, 'register', await sentCode(phone), there);
    await letPass(phone, '10 seconds');
    await expect(codes.check(phone, 'register', await sentCode(phone), there)).rejects.toEqual(refused);
    await expect(codes.spend(checked)).rejects.toEqual(refused);
  });

  test('stays valid after four wrong tries, and not after the fifth', async () => {
    const phone = newPhone();
    await send(phone);
    const code = await sentCode(phone);
    for (let attempt = 0; attempt < 4; attempt++) {
      await expect(codes.check(phone, 'register', wrong(code), there)).rejects.toEqual(refused);
    }
    const checked = await codes.check(phone, 'register', code, there);
    await expect(codes.check(phone, 'register', wrong(code), there)).rejects.toEqual(refused);
    await expect(codes.check(phone, 'register', code, there)).rejects.toEqual(refused);
    await expect(codes.spend(checked)).rejects.toEqual(refused);
  });

  test('stays valid at the address that requested it, despite guesses from others', async () => {
    const phone = newPhone();
    await send(phone, 'register', { address: '2001:db8::1' });
    const code = await sentCode(phone);
    const guessFrom = (address: string) => codes.check(phone, 'register', wrong(code), address);
    for (let count = 0; count < 49; count++) {
      await expect(guessFrom(`198.51.100.${count % 10}`)).rejects.toEqual(refused);
    }
    await codes.check(phone, 'register', code, there);
    await expect(guessFrom('198.51.100.200')).rejects.toEqual(refused);
    await expect(codes.check(phone, 'register', code, there)).rejects.toEqual(refused);
    const own = '2001:db8::2';
    for (let count = 0; count < 4; count++) await expect(guessFrom(own)).rejects.toEqual(refused);
    const checked = await codes.check(phone, 'register', code, own);
    await expect(codes.spend({ ...checked, network: there })).rejects.toEqual(refused);
    await codes.spend(checked);
  });

  test('gets no sixth try by many at once', async () => {
    const phone = newPhone();
    await send(phone);
    const code = await sentCode(phone);
    await Promise.allSettled(
      Array.from({ length: 30 }, () => codes.check(phone, 'register', wrong(code), there)),
    );
    const { rows } = await accounts.pool.query(
      'select wrong_tries from accounts.sms_codes where phone = $1',
      [phone],
    );
    expect(rows).toEqual([{ wrong_tries: 5 }]);
  });

  test('is no longer valid once the next one is sent', async () => {
    const phone = newPhone();
    await send(phone);
    const first = await sentCode(phone);
    await letPass(phone, '1 minute');
    await send(phone);
    const second = await sentCode(phone);
    if (first !== second) await expect(codes.check(phone, 'register', first, there)).rejects.toEqual(refused);
    await codes.check(phone, 'register', second, there);
  });
});

describe('the inbox', () => {
  test('shows the newest first, and keeps twenty', async () => {
    const phone = newPhone();
    for (let count = 0; count < 25; count++) await inbox.send(phone, 'register', String(100_000 + count));
    const shown = (await inbox.sentTo(phone)).map(({ code }) => Number(code));
    expect(shown).toEqual(Array.from({ length: 20 }, (_, index) => 100_024 - index));
  });
});
