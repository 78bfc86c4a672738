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
  it('makes an account that is there at once', async () => {
    const { application } = running;
    const { uid } = await registerUser(application, account('first'), context('server'));
    const { state } = await application.store.load(userStream(uid));
    expect(state).toMatchObject({ uid, nickname: '甲', disabled: false, isMember: false });
    expect(await application.names.byLoginName('first')).toMatchObject([{ uid }]);
  });

  it('refuses a username that is taken, without regard to case', async () => {
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

  it('lets one of many who want the same name at once have it', async () => {
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

  it('gives the names back where what must succeed beforehand does not', async () => {
    const { application } = running;
    const end = await application.log.end();
    const spend = () => Promise.reject(new Refusal('illegal', '验证码不正确'));
    await expect(
      registerUser(application, account('again', '13800000002'), context('server'), spend),
    ).rejects.toMatchObject({ message: '验证码不正确' });
    expect(await application.log.end()).toBe(end);
    await registerUser(application, account('again', '13800000002'), context('server'));
  });

  it('checks the names before it spends what must succeed beforehand', async () => {
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
