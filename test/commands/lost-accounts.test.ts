import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerAs } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';

/* Accounts of registered people that the database has lost, as after a failover to an older copy. */

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

const register = (username: string, phone?: string) => registerAs(running.application, username, phone);

const lose = (...uids: number[]) =>
  running.application.pool.query('delete from accounts.accounts where uid = any($1)', [uids]);

it('keep their names: they are restored at the next registration', async () => {
  const { names } = running.application;
  const bob = await register('Bob', '13800000001');
  const eve = await register('eve');
  await running.shown();
  await lose(bob.uid, eve.uid);
  await expect(register('bOB')).rejects.toMatchObject({ reason: 'illegal' });
  await expect(register('other', '13800000001')).rejects.toMatchObject({ reason: 'illegal' });
  await expect(register('eve')).rejects.toMatchObject({ reason: 'illegal' });
  expect(await names.byUsername('bob')).toMatchObject({ uid: bob.uid, phone: '13800000001' });
  expect((await register('another')).uid).toBeGreaterThan(eve.uid);
});

it('are restored when a process starts, without a phone that another account has by now', async () => {
  const { names, pool } = running.application;
  const [tom, jerry] = [await register('tom', '13800000002'), await register('jerry')];
  await running.shown();
  await lose(tom.uid);
  await pool.query('update accounts.accounts set phone = $1 where uid = $2', ['13800000002', jerry.uid]);
  const other = await running.another();
  expect(await other.names.byUid(tom.uid)).toMatchObject({ username: 'tom', phone: null });
  expect(await names.byPhone('13800000002')).toMatchObject({ uid: jerry.uid });
});

it('take a name from a reservation, whose registration is then refused', async () => {
  const { names } = running.application;
  const kim = await register('kim');
  await running.shown();
  await lose(kim.uid);
  const early = await names.reserve({ username: 'KIM', phone: null, passwordHash: '' });
  await register('someone');
  expect(await names.byUsername('kim')).toMatchObject({ uid: kim.uid });
  expect(await names.renew(early.uid)).toBe(false);
});

it('have no password', async () => {
  const { application, server } = running;
  const ann = await register('ann');
  await running.shown();
  await lose(ann.uid);
  await register('somebody');
  expect(await application.names.byUid(ann.uid)).toMatchObject({ username: 'ann' });
  const answer = await server.inject({
    ...{ method: 'POST', url: '/api/login/login' },
    payload: { username: 'ann', password: 'no hash, so no password' },
  });
  expect(answer.json()).toMatchObject({ code: 2 });
});
