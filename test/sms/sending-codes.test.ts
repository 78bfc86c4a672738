import { describe, expect, test } from 'vitest';
import { createSmsCodes } from '../../services/sms/codes.ts';
import type { SmsProvider } from '../../services/sms/provider.ts';
import { silent } from '../support/accounts.ts';
import {
  accounts,
  codes,
  inbox,
  letPass,
  limits,
  newAddress,
  newPhone,
  otherProcess,
  refused,
  secret,
  send,
  there,
} from './codes-harness.ts';

describe('sending', () => {
  test('is refused within a minute for the same purpose, not for another', async () => {
    const phone = newPhone();
    await send(phone, 'register');
    await expect(send(phone, 'register')).rejects.toEqual(refused);
    await send(phone, 'forget');
    await letPass(phone, '1 minute');
    await send(phone, 'register');
  });

  test('is done once if ten request the same at once', async () => {
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

  test('is refused after thirty a day from many addresses, but not at an address where the phone’s owner logs in', async () => {
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

  test('to a phone that may not get a code has the same answer, and sends nothing', async () => {
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
  /** A provider that answers nothing until `fail` is called. */
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

  test('neither delays a stranger’s request nor reveals that it failed', async () => {
    const { codes, fail } = hangingProvider();
    await codes.send({ phone: newPhone(), purpose: 'forget', address: newAddress(), deliver: true, limits });
    await fail();
    await codes.close();
  });

  test('that failed is reported to a person who requests a code for their own phone', async () => {
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
