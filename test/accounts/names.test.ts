import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { createNames, type Names } from '../../services/accounts/names.ts';
import { openAccounts } from '../support/accounts.ts';

const accounts = await openAccounts();
/** The uids whose streams are in the log. */
const inLog = new Set<Uid>();
let names: Names;
let otherProcess: Names;

beforeAll(() => {
  const exists = async (uid: Uid) => inLog.has(uid);
  names = createNames({ database: accounts.database, isRegistered: ({ uid }) => exists(uid) });
  otherProcess = createNames({ database: accounts.another(), isRegistered: ({ uid }) => exists(uid) });
});
afterAll(() => accounts.close());

async function register(username: string, phone: string | null = null): Promise<Uid> {
  const { uid } = await names.reserve({ username, phone, passwordHash: 'hash' });
  inLog.add(uid);
  await names.confirm(uid);
  return uid;
}

async function growOld(uid: Uid, seconds: number): Promise<void> {
  await accounts.pool.query(
    'update accounts.accounts set created = now() - make_interval(secs => $2) where uid = $1',
    [uid, seconds],
  );
}

const taken = (message: string) => expect.objectContaining({ reason: 'illegal', message });

describe('a username of the form of a phone', () => {
  test('can be its owner’s own phone, and nobody else’s', async () => {
    const claim = (username: string, phone: string | null) => ({ username, phone, passwordHash: 'hash' });
    const refused = expect.objectContaining({
      reason: 'illegal',
      message: expect.stringContaining('手机号'),
    });
    await expect(names.reserve(claim('13511112222', null))).rejects.toEqual(refused);
    await expect(names.reserve(claim('13511112222', '13511112223'))).rejects.toEqual(refused);
    await names.reserve(claim('13511112222', '13511112222'));
    await names.reserve(claim('23511112222', null));
    await names.reserve(claim('135111122220', null));
  });
});

describe('registering', () => {
  test('gives a uid and a number id of 7 to 9 digits', async () => {
    const { uid, numberId } = await names.reserve({ username: 'amy', phone: null, passwordHash: 'hash' });
    expect(Uid.safeParse(uid).success).toBe(true);
    expect(String(numberId)).toMatch(/^\d{7,9}$/);
  });

  test('of a username in another case is refused', async () => {
    await register('Bob');
    await expect(names.reserve({ username: 'bOB', phone: null, passwordHash: 'hash' })).rejects.toEqual(
      taken('用户名已被占用'),
    );
  });

  test('of a phone that is another person’s is refused', async () => {
    await register('carl', '13800000001');
    await expect(
      names.reserve({ username: 'carla', phone: '13800000001', passwordHash: 'hash' }),
    ).rejects.toEqual(taken('手机号已被注册'));
  });

  test('any number of people have no phone', async () => {
    await register('dave');
    await register('doris');
  });

  test('of one username by twenty at once in two processes succeeds once', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? names : otherProcess).reserve({
          username: index % 3 ? 'eve' : 'EVE',
          phone: null,
          passwordHash: 'hash',
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toEqual(taken('用户名已被占用'));
    }
  });

  test('of one phone by twenty at once succeeds once', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        names.reserve({ username: `frank${index}`, phone: '13800000002', passwordHash: 'hash' }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('by two hundred at once gives two hundred uids and number ids', async () => {
    const reserved = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        names.reserve({ username: `many${index}`, phone: null, passwordHash: 'hash' }),
      ),
    );
    expect(new Set(reserved.map(({ uid }) => uid)).size).toBe(200);
    expect(new Set(reserved.map(({ numberId }) => numberId)).size).toBe(200);
  });
});

describe('a reservation', () => {
  test('is not found', async () => {
    const { uid } = await names.reserve({ username: 'greta', phone: '13800000003', passwordHash: 'hash' });
    expect(await names.byUid(uid)).toBeUndefined();
    expect(await names.byUsername('greta')).toBeUndefined();
    expect(await names.byPhone('13800000003')).toBeUndefined();
    expect(await names.byLoginName('greta')).toEqual([]);
  });

  test('that is given back lets the next one in at once', async () => {
    const first = await names.reserve({ username: 'hans', phone: null, passwordHash: 'hash' });
    await names.release(first.uid);
    const second = await names.reserve({ username: 'hans', phone: null, passwordHash: 'hash' });
    expect(second.uid).not.toBe(first.uid);
  });

  test('is taken over after a minute if no stream was written for it', async () => {
    const first = await names.reserve({ username: 'ida', phone: '13800000004', passwordHash: 'hash' });
    await growOld(first.uid, 59);
    const claim = { username: 'Ida', phone: '13800000004', passwordHash: 'other' };
    await expect(names.reserve(claim)).rejects.toEqual(taken('用户名已被占用'));
    await growOld(first.uid, 61);
    const second = await names.reserve(claim);
    expect(second.uid).not.toBe(first.uid);
    await expect(names.confirm(first.uid)).rejects.toThrow('was lost');
  });

  test('that two take over at once goes to one of them', async () => {
    const first = await names.reserve({ username: 'jack', phone: null, passwordHash: 'hash' });
    await growOld(first.uid, 3600);
    const outcomes = await Promise.allSettled(
      [names, otherProcess].map((process) =>
        process.reserve({ username: 'jack', phone: null, passwordHash: 'hash' }),
      ),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('whose stream is in the log is owned, even if the process that wrote it could not mark it', async () => {
    const { uid } = await names.reserve({ username: 'kim', phone: '13800000005', passwordHash: 'hash' });
    await growOld(uid, 3600);
    inLog.add(uid);
    expect(await names.byPhone('13800000005')).toMatchObject({ uid, username: 'kim' });
    await expect(names.reserve({ username: 'kim', phone: null, passwordHash: 'hash' })).rejects.toEqual(
      taken('用户名已被占用'),
    );
    await names.release(uid);
    expect(await names.byUsername('KIM')).toMatchObject({ uid });
  });
});

describe('looking up', () => {
  test('finds by uid, by username in any case, by phone', async () => {
    const uid = await register('Lara', '13800000006');
    const lara = { uid, username: 'Lara', phone: '13800000006', passwordHash: 'hash' };
    expect(await names.byUid(uid)).toMatchObject(lara);
    expect(await names.byUsername('lARA')).toMatchObject(lara);
    expect(await otherProcess.byPhone('13800000006')).toMatchObject(lara);
    expect(await names.byUsername('nobody')).toBeUndefined();
  });

  test('by a login name that is one’s phone and another’s username finds both, the phone’s owner first', async () => {
    // A row from before the rule that usernames must not look like a phone.
    const squatter = await register('squatter');
    await accounts.pool.query(
      "update accounts.accounts set username = '13800000007', username_key = '13800000007' where uid = $1",
      [squatter],
    );
    const owner = await register('maria', '13800000007');
    const found = await names.byLoginName('13800000007');
    expect(found.map(({ uid }) => uid)).toEqual([owner, squatter]);
  });
});
