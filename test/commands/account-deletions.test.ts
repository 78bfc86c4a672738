import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { Uid } from '../../contracts/ids.ts';
import { AccountDeletions } from '../../services/commands/account-deletions.ts';
import { execute } from '../../services/commands/execute.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { befriend as befriendDecision, friendshipStream } from '../../services/domain/friendship.ts';
import { deleteAccount, userStream } from '../../services/domain/user.ts';
import { findDeletions, findTies } from '../../services/queries/ties.ts';
import { makeFriends, register, context as requestOf } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { befriend, call, createGroup, done, type Person, person } from '../support/client.ts';
import { wrapLog } from '../support/wrapped-log.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const server = (method: 'GET' | 'POST', path: string, parameters = {}) =>
  call(running, method, path, parameters);
const remove = ({ uid }: { readonly uid: number }) => server('POST', '/user/delete', { uid });

/** Adds an account with the server's key. */
async function add(account: { username: string; nickname: string; password: string }): Promise<Uid> {
  const { data } = await server('POST', '/user/add', account);
  return Uid.parse(z.object({ uid: z.int() }).parse(data).uid);
}

describe('a deletion that was cut off after its first event', () => {
  async function begun(): Promise<{ tom: Person; jerry: Person; gid: number }> {
    const [tom, jerry] = [await person(running, '断'), await person(running, '续')];
    await befriend(tom, jerry);
    const gid = await createGroup(tom, jerry);
    const uid = Uid.parse(tom.uid);
    const context = { actor: 'server', correlationId: 'cut off', time: Date.now() } as const;
    await execute(running.application, userStream(uid), context, deleteAccount);
    await running.shown();
    return { tom, jerry, gid };
  }
  const left = async ({ uid }: Person) => {
    const { people, groups } = await findTies(running.application.database, Uid.parse(uid), 10);
    return people.length + groups.length;
  };

  test('is gone on with by the next process that starts', async () => {
    const { tom, jerry, gid } = await begun();
    expect(await left(tom)).toBe(2);
    const other = await running.another();
    await vi.waitUntil(async () => (await left(tom)) === 0, { timeout: 10_000 });
    await running.shown();
    expect(await server('GET', '/group/list', { gid })).toMatchObject({
      data: { groups: [{ uid: jerry.uid }] },
    });
    expect(await other.names.byUid(Uid.parse(tom.uid))).toBeUndefined();
  });

  test('is gone on with by a repeat of the call', async () => {
    const { tom } = await begun();
    expect(await remove(tom)).toEqual(done);
    expect(await left(tom)).toBe(0);
  });

  test('cannot be logged in to before its names are free', async () => {
    const account = { username: 'cutoff1', nickname: '断', password: 'secret-1' };
    const uid = await add(account);
    const context = { actor: 'server', correlationId: 'cut off', time: Date.now() } as const;
    await execute(running.application, userStream(uid), context, deleteAccount);
    expect(await call(running, 'POST', '/login/login', account, {})).toMatchObject({ code: 2 });
  });
});

test('a deletion ends 20 friendships at once, and the others after them', async () => {
  const { application } = running;
  const uid = await register(application, '友多');
  for (let friend = 0; friend < 22; friend++) {
    await makeFriends(application, uid, await register(application, '友'));
  }
  await execute(application, userStream(uid), requestOf('server'), deleteAccount);
  await running.shown();
  const held = Promise.withResolvers<void>();
  let [appending, atOnce] = [0, 0];
  const log = wrapLog(application.log, {
    append: async (...append) => {
      atOnce = Math.max(atOnce, ++appending);
      await held.promise;
      return application.log.append(...append).finally(() => appending--);
    },
  });
  const ended = new AccountDeletions({ ...application, log }).endTies(uid);
  await vi.waitUntil(() => appending >= 20, { timeout: 10_000 });
  // Time for a 21st to come.
  for (let reading = 0; reading < 5; reading++) await log.end();
  held.resolve();
  await ended;
  expect(atOnce).toBe(20);
  expect((await findTies(application.database, uid, 30)).people).toEqual([]);
});

describe('a deletion whose ties have ended', () => {
  test('is complete after a minute, when no command is under way that knew the account, and stays open until then', async () => {
    const { application } = running;
    const [tom, jerry] = [await person(running, '完'), await person(running, '晚')];
    const [uid, late] = [Uid.parse(tom.uid), Uid.parse(jerry.uid)];
    await remove(tom);
    const open = async () =>
      (await findDeletions(application.database, 1_000)).some((deletion) => deletion.uid === uid);
    expect(await open()).toBe(true);
    // A command of another process that had seen the account before its deletion.
    const context = { actor: 'server', correlationId: 'late', time: Date.now() } as const;
    const pair = friendshipStream(uid, late);
    await execute(application, pair, context, (state) => befriendDecision(state, { by: late, friend: uid }));
    await running.shown();
    const deletions = (ageSeconds: number) =>
      new AccountDeletions({ ...application, now: () => Date.now() + ageSeconds * 1_000 });
    await deletions(0).sweep();
    expect(await jerry.get('/friend/getlist')).toMatchObject({ data: {} });
    expect(await open()).toBe(true);
    await deletions(61).sweep();
    await running.shown();
    expect(await open()).toBe(false);
    const types: string[] = [];
    for await (const { type } of application.log.readStream(streamName(`user-${uid}`))) types.push(type);
    expect(types).toEqual(['UserRegistered', 'AccountDeleted', 'AccountDeletionCompleted']);
  });
});

test('the names of a deleted account are free again after the tables became an older copy', async () => {
  const { application } = running;
  const account = { username: 'oldcopy1', nickname: '旧本', password: 'secret-1' };
  const uid = await add(account);
  const { rows } = await application.pool.query('select * from accounts.accounts where uid = $1', [uid]);
  await remove({ uid });
  await application.pool.query('delete from accounts.accounts where uid = $1', [uid]);
  await application.pool.query(
    'insert into accounts.accounts select * from jsonb_populate_record(null::accounts.accounts, $1)',
    [JSON.stringify(rows[0])],
  );
  const other = await running.another();
  await vi.waitUntil(async () => (await other.names.byUsername('oldcopy1')) === undefined);
  expect(await server('POST', '/user/add', account)).toMatchObject({ code: 0 });
});
