import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import { registerUser } from '../../services/commands/register.ts';
import { userStream } from '../../services/domain/user.ts';
import { context } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

function account(username: string, phone: string | null = null) {
  const passwordHash = 'no hash, so no password';
  return { username, nickname: '甲', avatar: '', sign: '', phone, passwordHash, parent: null };
}

describe('registering', () => {
  it('creates an account that exists at once', async () => {
    const { application } = running;
    const { uid } = await registerUser(application, account('first'), context('server'));
    const { state } = await application.store.load(userStream(uid));
    expect(state).toMatchObject({ uid, nickname: '甲', disabled: false, isMember: false });
    expect(await application.names.byLoginName('first')).toMatchObject([{ uid }]);
  });

  it('refuses a username that is taken, ignoring case', async () => {
    const { application } = running;
    await registerUser(application, account('Taken'), context('server'));
    await expect(registerUser(application, account('tAKEN'), context('server'))).rejects.toMatchObject({
      reason: 'illegal',
    });
  });

  it('refuses a phone that is taken', async () => {
    const { application } = running;
    await registerUser(application, account('phone1', '13800000001'), context('server'));
    await expect(
      registerUser(application, account('phone2', '13800000001'), context('server')),
    ).rejects.toMatchObject({ reason: 'illegal' });
  });

  it('gives a name to one of many concurrent registrations', async () => {
    const { application } = running;
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, () => registerUser(application, account('wanted'), context('server'))),
    );
    const winners = tries.filter(({ status }) => status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const lost of tries) {
      if (lost.status === 'rejected') expect(lost.reason).toMatchObject({ reason: 'illegal' });
    }
  });

  it('releases the names if the step beforehand fails', async () => {
    const { application } = running;
    const end = await application.log.end();
    const spend = () => Promise.reject(new Refusal('illegal', '验证码不正确'));
    await expect(
      registerUser(application, account('again', '13800000002'), context('server'), spend),
    ).rejects.toMatchObject({ message: '验证码不正确' });
    expect(await application.log.end()).toBe(end);
    await registerUser(application, account('again', '13800000002'), context('server'));
  });

  it('checks the names before the step beforehand', async () => {
    const { application } = running;
    await registerUser(application, account('spent'), context('server'));
    let spent = false;
    const spend = async () => {
      spent = true;
    };
    await expect(registerUser(application, account('spent'), context('server'), spend)).rejects.toMatchObject(
      { reason: 'illegal' },
    );
    expect(spent).toBe(false);
  });
});

describe('a uid that is somebody else’s, because the accounts’ tables are behind the log', () => {
  const setBack = (uid: number) => running.application.pool.query(`select setval('accounts.uid', $1)`, [uid]);

  it('is not assigned: the new person gets another, and the other’s messages stay theirs', async () => {
    const { application } = running;
    const old = [];
    for (const name of ['old1', 'old2', 'old3', 'old4', 'old5']) {
      old.push((await registerUser(application, account(name), context('server'))).uid);
    }
    // An older dump: the rows of the last four are missing, and the sequence is as before them.
    await application.pool.query(
      `delete from accounts.accounts where username like 'old%' and username > 'old1'`,
    );
    await setBack(old[0] ?? 0);
    const { uid } = await registerUser(application, account('newcomer'), context('server'));
    expect(old).not.toContain(uid);
    expect((await application.store.load(userStream(uid))).state).toMatchObject({ uid });
    expect(await application.names.byLoginName('newcomer')).toMatchObject([{ uid }]);
    const next = await registerUser(application, account('another'), context('server'));
    expect(next.uid).toBe(uid + 1);
  });

  it('allows no login by a reservation that never became an account', async () => {
    const { application } = running;
    const { uid } = await registerUser(application, account('owner'), context('server'));
    await application.pool.query('delete from accounts.accounts where uid = $1', [uid]);
    await setBack(uid - 1);
    const claim = { username: 'thief', phone: null, passwordHash: 'theirs' };
    expect((await application.names.reserve(claim)).uid).toBe(uid);
    expect(await application.names.byLoginName('thief')).toEqual([]);
    expect(await application.names.byUid(uid)).toBeUndefined();
    await setBack(uid + 100);
  });
});

describe('a reservation', () => {
  const age = (username: string) =>
    running.application.pool.query(
      `update accounts.accounts set created = now() - interval '2 minutes' where username = $1`,
      [username],
    );

  it('that expired and went to another person before the registration leaves nothing behind', async () => {
    const { application } = running;
    const end = await application.log.end();
    const slow = registerUser(application, account('contested'), context('server'), async () => {
      await age('contested');
      await application.names.reserve({ username: 'contested', phone: null, passwordHash: 'other' });
    });
    await expect(slow).rejects.toMatchObject({ reason: 'illegal', message: '用户名已被占用' });
    expect(await application.log.end()).toBe(end);
  });

  it('that expired and was released is made again', async () => {
    const { application } = running;
    const { uid } = await registerUser(application, account('forgotten'), context('server'), async () => {
      await age('forgotten');
      const other = await application.names.reserve({
        username: 'forgotten',
        phone: null,
        passwordHash: 'x',
      });
      await application.names.release(other.uid);
    });
    expect(await application.names.byLoginName('forgotten')).toMatchObject([{ uid }]);
  });

  it('that expired is renewed before the registration, so that nobody else gets it', async () => {
    const { application } = running;
    await registerUser(application, account('held'), context('server'), () => age('held'));
    const other = { username: 'held', phone: null, passwordHash: 'x' };
    await expect(application.names.reserve(other)).rejects.toMatchObject({ reason: 'illegal' });
  });
});
