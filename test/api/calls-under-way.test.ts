import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { groupCreate, groupDelete } from '../../contracts/http/group.ts';
import type { Uid } from '../../contracts/ids.ts';
import {
  createCommandQueue,
  createQueryQueue,
  isLarge,
  maxCommands,
  maxQueries,
  maxWaiting,
} from '../../services/api/calls-under-way.ts';
import { execute } from '../../services/commands/execute.ts';
import { groupStream, mustBeIn } from '../../services/domain/group.ts';
import { remarkGroup } from '../../services/domain/group-commands.ts';
import { decode } from '../../services/log/codec.ts';
import type { Position } from '../../services/log/log.ts';
import { context } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { call, client, createGroup, done, type Person } from '../support/client.ts';
import { gid as gidOf, uid as uidOf } from '../support/events.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

test.each([
  ['commands', createCommandQueue, maxCommands],
  ['queries', createQueryQueue, maxQueries],
])(
  'few %s of one person run at once, the others wait in order, and too many are refused',
  async (_, create, maxRunning) => {
    const calls = create();
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun: number[] = [];
    const share = { of: '9', maxWaiting };
    const ask = (index: number) =>
      calls.run(share, () => {
        begun.push(index);
        return promise;
      });
    const asked = Array.from({ length: maxRunning + maxWaiting }, (_, index) => ask(index));
    expect(begun).toHaveLength(maxRunning);
    await expect(ask(-1)).rejects.toMatchObject({ reason: 'tooMany' });
    expect(await calls.run({ of: '10', maxWaiting }, async () => 'another person')).toBe('another person');
    resolve();
    await Promise.all(asked);
    expect(begun).toEqual(Array.from({ length: maxRunning + maxWaiting }, (_, index) => index));
    expect(await calls.run(share, async () => 'again')).toBe('again');
  },
);

test('an owner and the server’s key are not delayed by a member who floods a group with changes', async () => {
  const owner = await client(running, 'tom');
  const flooding = await client(running, 'jerry');
  const gid = await createGroup(owner, flooding);
  const stream = groupStream(gidOf(gid));
  // Without the limit of commands under way, as a process would that admits any number.
  let behind = 0;
  const flood = Array.from({ length: 300 }, (_, index) =>
    execute(running.application, stream, context(uidOf(flooding.uid)), (state) => {
      if (!mustBeIn(state, uidOf(flooding.uid))) return [];
      behind++;
      return remarkGroup(state, { uid: uidOf(flooding.uid), remark: `${index}` });
    }).catch(() => undefined),
  );
  const before = behind;
  const transferring = owner.post('/group/memberdel', { gid, members: [flooding.uid] });
  const disabling = call(running, 'POST', '/user/update', {
    login_uid: flooding.uid,
    account_state: 'disabled',
  });
  expect(await transferring).toEqual(done);
  // The flood gets one turn for each turn of the owner's; without turns all 300 came first.
  expect(behind - before).toBeLessThan(100);
  expect(await disabling).toEqual(done);
  expect(await flooding.get('/pop/get')).toMatchObject({ code: -1 });
  await Promise.all(flood);
});

test('the queries of one person leave connections to the database to the others', async () => {
  const many = await client(running, 'tom');
  const other = await client(running, 'jerry');
  const locking = await running.application.pool.connect();
  try {
    await locking.query('begin');
    // Every query for a person waits from now on.
    await locking.query('lock table read.users in access exclusive mode');
    const waiting = Array.from({ length: 30 }, () => many.get('/user/get', { uid: other.uid }));
    await vi.waitFor(async () => {
      const { rows } = await running.application.pool.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      expect(rows).toHaveLength(maxQueries);
    });
    expect(await other.get('/friend/applycount')).toMatchObject({ code: 0 });
    await locking.query('rollback');
    for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ code: 0 });
  } finally {
    locking.release();
  }
});

describe('of the commands on more than 100 people', () => {
  /** Uids of those whose groups were created since. */
  async function foundersSince(before: Position): Promise<Uid[]> {
    const found: Uid[] = [];
    for await (const record of running.application.log.readAll({ after: before, prefixes: ['group-'] })) {
      const { type, data } = decode(record);
      if (type === 'GroupCreated') found.push(data.owner);
    }
    return found;
  }
  const create = (owner: Person, members: number) =>
    owner.post('/group/create', { members: Array(members).fill(owner.uid) });

  /** While it acts the read models show no new group, so that a command that has appended waits for 2 s. */
  async function whileNothingIsShown(act: () => Promise<void>): Promise<void> {
    const locking = await running.application.pool.connect();
    try {
      await locking.query('begin');
      await locking.query('lock table read.group_members in exclusive mode');
      await act();
    } finally {
      await locking.query('rollback');
      locking.release();
    }
  }

  test('one is under way at a time, and no smaller one waits for it', async () => {
    const [tom, jerry, spike] = [
      await client(running, 'tom'),
      await client(running, 'jerry'),
      await client(running, 'spike'),
    ];
    const before = await running.application.log.end();
    const created: Promise<unknown>[] = [];
    await whileNothingIsShown(async () => {
      created.push(create(tom, 101), create(jerry, 101));
      await vi.waitUntil(async () => (await foundersSince(before)).length === 1, { timeout: 5_000 });
      created.push(create(spike, 100));
      await vi.waitUntil(async () => (await foundersSince(before)).length > 1, { timeout: 5_000 });
    });
    for (const answer of await Promise.all(created)) expect(answer).toMatchObject({ code: 0 });
    expect(await foundersSince(before)).toEqual([tom.uid, spike.uid, jerry.uid]);
  });

  test('one whose client has gone before its turn is not begun', async () => {
    const [tom, spike] = [await client(running, 'tom'), await client(running, 'spike')];
    const account = { username: 'leaving1', nickname: '走', password: 'secret-1' };
    await call(running, 'POST', '/user/add', account);
    const { data } = await call(running, 'POST', '/login/login', account, {});
    const { token } = z.object({ token: z.string() }).parse(data);
    const before = await running.application.log.end();
    const { server } = running.server;
    const created: Promise<unknown>[] = [];
    await whileNothingIsShown(async () => {
      created.push(create(tom, 101));
      await vi.waitUntil(async () => (await foundersSince(before)).length === 1, { timeout: 5_000 });
      const leaving = new AbortController();
      const arrived = once(server, 'request');
      const left = fetch(`${running.url}/api/group/create`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ members: Array(101).fill(tom.uid) }),
        signal: leaving.signal,
      });
      await arrived;
      // It is in the queue once a later call was answered.
      await spike.get('/friend/getlist');
      leaving.abort();
      await expect(left).rejects.toThrow();
    });
    for (const answer of await Promise.all(created)) expect(answer).toMatchObject({ code: 0 });
    expect(await create(spike, 101)).toMatchObject({ code: 0 });
    expect(await foundersSince(before)).toEqual([tom.uid, spike.uid]);
  });
});

test('a dissolution of a group waits for its turn like a command on many people', () => {
  expect(isLarge(groupDelete, { gid: 1 })).toBe(true);
  expect(isLarge(groupCreate, { members: Array(100).fill(1) })).toBe(false);
  expect(isLarge(groupCreate, { members: Array(101).fill(1) })).toBe(true);
});
