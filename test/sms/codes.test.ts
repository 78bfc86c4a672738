import { afterAll, describe, expect, test } from 'vitest';
import { type CodeRequest, createSmsCodes } from '../../services/sms/codes.ts';
import { createSmsInbox } from '../../services/sms/development-inbox.ts';
import type { SmsProvider, SmsPurpose } from '../../services/sms/provider.ts';
import { openAccounts, silent } from '../support/accounts.ts';

const accounts = await openAccounts();
const inbox = createSmsInbox(accounts.database);
const secret = 'secret of the test';
const codes = createSmsCodes({ database: accounts.database, provider: inbox, secret, logger: silent });
const otherProcess = createSmsCodes({
  database: accounts.another(),
  provider: inbox,
  secret,
  logger: silent,
});
afterAll(async () => {
  await codes.close();
  await otherProcess.close();
  await accounts.close();
});

let phones = 0;
const newPhone = () => String(13_900_000_000 + phones++);
let addresses = 0;
const newAddress = () => `192.0.2.${addresses++}`;

const limits = { limit_sms_seconds: 60, limit_sms_phone: 10, limit_sms_address: 60 };

async function send(
  phone: string,
  purpose: SmsPurpose = 'register',
  { address = newAddress(), deliver = true, ...changed }: Partial<CodeRequest> = {},
): Promise<void> {
  await codes.send({ phone, purpose, address, deliver, limits: { ...limits, ...changed.limits } });
}

async function sentCode(phone: string): Promise<string> {
  const [newest] = await inbox.sentTo(phone);
  return newest?.code ?? 'none was sent';
}

async function letPass(phone: string, interval: string): Promise<void> {
  await accounts.pool.query('update accounts.sms_codes set sent = sent - $2::interval where phone = $1', [
    phone,
    interval,
  ]);
}

/** Where codes are shown that were asked for from elsewhere. */
const there = '203.0.113.1';

const wrong = (code: string) => String(100_000 + ((Number(code) + 1) % 900_000));
const refused = expect.objectContaining({ reason: 'illegal', message: expect.stringContaining('验证码') });

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

  test('stays good however often it is looked at, until it is spent', async () => {
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

  test('survives four wrong tries and dies of the fifth', async () => {
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

  test('stays good where it was asked for, however often others guess', async () => {
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

  test('is good no more once the next one is sent', async () => {
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

describe('sending', () => {
  test('is refused within a minute for the same purpose, not for another', async () => {
    const phone = newPhone();
    await send(phone, 'register');
    await expect(send(phone, 'register')).rejects.toEqual(refused);
    await send(phone, 'forget');
    await letPass(phone, '1 minute');
    await send(phone, 'register');
  });

  test('is done once where ten ask for the same at once', async () => {
    const phone = newPhone();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 ? codes : otherProcess).send({
          phone,
          purpose: 'register',
          address: newAddress(),
          deliver: true,
          limits,
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await inbox.sentTo(phone)).toHaveLength(1);
  });

  test('is refused after ten a day from one address', async () => {
    const phone = newPhone();
    const address = newAddress();
    for (let count = 0; count < 10; count++) {
      await send(phone, 'register', { address });
      await letPass(phone, '61 seconds');
    }
    await expect(send(phone, 'register', { address })).rejects.toEqual(refused);
    await send(phone);
    await letPass(phone, '1 day');
    await send(phone, 'register', { address });
  });

  test('is refused after thirty a day from many addresses, but not where the phone’s owner logs in', async () => {
    const phone = newPhone();
    const [home, elsewhere] = [newAddress(), newAddress()];
    await accounts.pool.query(
      `with owner as (
         insert into accounts.accounts (uid, username, username_key, phone, number_id, password_hash)
         values (7, 'owner', 'owner', $1, 7, '') returning uid
       ) insert into accounts.known_addresses (uid, address) select uid, $2 from owner`,
      [phone, home],
    );
    for (let count = 0; count < 30; count++) {
      await accounts.pool.query(
        `insert into accounts.sms_codes (phone, purpose, hash, address, sent)
         values ($1, 'forget', '', $2, clock_timestamp() - interval '61 seconds')`,
        [phone, `198.51.100.${count}`],
      );
      if (count === 28)
        await codes.send({ phone, purpose: 'bind', address: elsewhere, deliver: true, limits });
    }
    await expect(send(phone, 'forget', { address: elsewhere })).rejects.toEqual(refused);
    await send(phone, 'forget', { address: home });
  });

  test('is refused after sixty an hour from one address', async () => {
    const address = newAddress();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 65 }, () => send(newPhone(), 'register', { address })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(60);
    await accounts.pool.query(
      "update accounts.sms_codes set sent = sent - interval '1 hour' where address = $1",
      [address],
    );
    await send(newPhone(), 'register', { address });
  });

  test('is refused beyond what the settings allow', async () => {
    const from = { address: newAddress() };
    const patient = { ...from, limits: { ...limits, limit_sms_seconds: 5 } };
    const phone = newPhone();
    await send(phone, 'register', patient);
    await letPass(phone, '4 seconds');
    await expect(send(phone, 'register', patient)).rejects.toMatchObject({
      message: '获取验证码过于频繁,请5秒后再试',
    });
    await letPass(phone, '2 seconds');
    await send(phone, 'register', patient);

    const twice = { ...from, limits: { ...limits, limit_sms_phone: 2 } };
    await letPass(phone, '1 minute');
    await expect(send(phone, 'register', twice)).rejects.toEqual(refused);
    await send(phone, 'register', { ...from, limits: { ...limits, limit_sms_phone: 3 } });

    const address = newAddress();
    const once = { address, limits: { ...limits, limit_sms_address: 1 } };
    await send(newPhone(), 'register', once);
    await expect(send(newPhone(), 'register', once)).rejects.toEqual(refused);
    await send(newPhone(), 'register', { address });
  });

  test('to a phone that may not have it looks the same, and sends nothing', async () => {
    const phone = newPhone();
    const before = performance.now();
    await send(phone, 'register', { deliver: false });
    expect(performance.now() - before).toBeGreaterThan(195);
    expect(await inbox.sentTo(phone)).toEqual([]);
    await expect(send(phone, 'register', { deliver: false })).rejects.toEqual(refused);
    await expect(codes.check(phone, 'register', '123456', there)).rejects.toEqual(refused);
    await expect(codes.check(phone, 'register', '', there)).rejects.toEqual(refused);
  });
});

describe('a provider over the net', () => {
  /** Hangs until it is told how it went. */
  function hangingProvider() {
    const called = Promise.withResolvers<void>();
    const { promise, reject } = Promise.withResolvers<void>();
    const provider: SmsProvider = {
      local: false,
      send: () => {
        called.resolve();
        return promise;
      },
    };
    const { database } = accounts;
    return {
      codes: createSmsCodes({ database, provider, secret, logger: silent }),
      fail: () => called.promise.then(() => reject(new Error('the provider is away'))),
    };
  }

  test('keeps nobody waiting who asks as a stranger, nor tells them that it failed', async () => {
    const { codes, fail } = hangingProvider();
    await codes.send({ phone: newPhone(), purpose: 'forget', address: newAddress(), deliver: true, limits });
    await fail();
    await codes.close();
  });

  test('that failed is told to whoever asks for their own phone', async () => {
    const { codes, fail } = hangingProvider();
    const sent = codes.send({
      phone: newPhone(),
      purpose: 'retrieve',
      address: newAddress(),
      deliver: true,
      limits,
    });
    await Promise.all([
      fail(),
      expect(sent).rejects.toEqual(expect.objectContaining({ reason: 'smsNotSent' })),
    ]);
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
