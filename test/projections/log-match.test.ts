import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parsePosition } from '../../contracts/push/position.ts';
import { jsonObject } from '../../contracts/push/protocol.ts';
import { type Projector, startProjector } from '../../projections/runner/projector.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { createNames } from '../../services/accounts/names.ts';
import { isRegisteredAs } from '../../services/commands/register.ts';
import type { EventLog } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { between, registered, sent } from '../support/events.ts';
import { caughtUp, openWorld, recordedFault, silent, type World } from '../support/projecting.ts';

const talk = between(1, 2);

let world: World;
let projectors: Projector[];
let logs: EventLog[];

beforeEach(async () => {
  world = await openWorld();
  projectors = [];
  logs = [];
  await world.given(registered(1, '甲'), registered(2, '乙'), sent(talk, 1, 1, '一'), sent(talk, 1, 2, '二'));
  await (await start()).stop();
});

afterEach(async () => {
  await Promise.all(projectors.map((projector) => projector.stop()));
  await Promise.all(logs.map((log) => log.close()));
  await world.close();
});

/** Starts a projector as a new process would, and waits until it works and the read models show the whole log, or it cannot work. */
async function start(): Promise<Projector> {
  const log = await openPostgresLog({ connectionString: world.url });
  logs.push(log);
  const projector = await startProjector({ log, database: world.url, bus: world.bus, logger: silent });
  projectors.push(projector);
  await until(() => projector.status().active || projector.status().fault !== undefined);
  if (projector.status().active) await caughtUp(world, projector);
  return projector;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition did not come true within 15 s');
    await delay(10);
  }
}

async function shownMids(): Promise<number[]> {
  const rows = await world.query<{ mid: string }>('select mid from read.messages order by sequence');
  return rows.map(({ mid }) => Number(mid));
}

async function checkpoint() {
  const [row] = await world.query<{ position: string; epoch: string; installation: string; batch: string }>(
    `select position, epoch, installation, batch from followers.checkpoint where name = 'read'`,
  );
  if (row === undefined) throw new Error('there is no checkpoint');
  return row;
}

/** The epochs named by what was pushed, once each. */
async function pushedEpochs(): Promise<(string | undefined)[]> {
  const rows = await world.pushRows();
  const epochs = rows.map(({ data }) => parsePosition(String(jsonObject(data)?.position))?.epoch);
  return [...new Set(epochs)];
}

/** As an older copy of the log that is put in its place. */
const forgetLast = (count: number) =>
  world.query('delete from log.events where position > (select max(position) from log.events) - $1', [count]);

describe('read models and their log', () => {
  it('keep the installation and the epoch that the log has, from the first start on', async () => {
    const { installation, epoch } = await checkpoint();
    expect(await world.log.identity()).toEqual({ installation, epoch });
    await start();
    expect(await checkpoint()).toMatchObject({ installation, epoch });
  });

  it('are made again from a log that lost events, in another epoch, and push nothing again', async () => {
    const before = await checkpoint();
    await forgetLast(1);
    const projector = await start();
    expect(projector.status().fault).toBeUndefined();
    expect(await shownMids()).toEqual([1]);
    const after = await checkpoint();
    expect(after.installation).toBe(before.installation);
    expect(after.epoch).not.toBe(before.epoch);
    expect(await world.log.identity()).toMatchObject({ epoch: after.epoch });
    expect(Number(after.batch)).toBeGreaterThan(Number(before.batch) + 1);
    expect(await pushedEpochs()).toEqual([]);
    await world.given(sent(talk, 2, 3, '三'));
    await caughtUp(world, projector);
    expect(await shownMids()).toEqual([1, 3]);
    expect(await pushedEpochs()).toEqual([after.epoch]);
  });

  it('are made again in larger batches than those in which new events come', async () => {
    const people = 5_000;
    await world.given(...Array.from({ length: people }, (_, index) => registered(index + 10, '丙')));
    await (await start()).stop();
    const before = await checkpoint();
    await forgetLast(1);
    await start();
    const after = await checkpoint();
    const [users] = await world.query<{ count: string }>('select count(*) from read.users');
    expect(Number(users?.count)).toBe(people + 1);
    // New events come in pages of 500.
    expect(Number(after.batch) - Number(before.batch)).toBeLessThan(people / 500);
  });

  it('have accounts looked up in the log again: who is no longer registered there gives the name back', async () => {
    const pool = createPool(world.url, silent);
    const isRegistered = isRegisteredAs.bind(undefined, world.log);
    const names = createNames({ database: accountsDatabase(pool), isRegistered });
    try {
      const profile = { nickname: '丙', avatar: '', sign: '', phone: null, parent: null };
      // Above the two that are registered without an account.
      await world.query(`select setval('accounts.uid', 2)`);
      let lostUid = 0;
      for (const username of ['kept', 'lost']) {
        const { uid, numberId } = await names.reserve({ username, phone: null, passwordHash: '' });
        const data = { ...profile, uid, numberId, username };
        await world.given({ type: 'UserRegistered', data });
        await names.confirm(uid);
        lostUid = uid;
      }
      const first = await start();
      await first.stop();
      await forgetLast(1);
      await start();
      expect(await names.byUsername('kept')).toMatchObject({ username: 'kept' });
      expect(await names.byUsername('lost')).toBeUndefined();
      await world.query(`update accounts.accounts set created = created - interval '2 minutes'`);
      await expect(names.reserve({ username: 'kept', phone: null, passwordHash: '' })).rejects.toThrow(
        '占用',
      );
      const { uid } = await names.reserve({ username: 'lost', phone: null, passwordHash: '' });
      // The uid of who was lost is not given again: tokens and clients may still name it.
      expect(uid).toBeGreaterThan(lostUid);
    } finally {
      await pool.end();
    }
  });

  it('are made again from a log that has another event at their checkpoint', async () => {
    const { epoch } = await checkpoint();
    await forgetLast(1);
    await world.given(sent(talk, 2, 9, '另一条'));
    await start();
    expect(await shownMids()).toEqual([1, 9]);
    expect((await checkpoint()).epoch).not.toBe(epoch);
  });

  it('stay when the log begins another epoch, and what was pushed before is void', async () => {
    const { epoch } = await checkpoint();
    const next = await world.log.beginEpoch(epoch);
    expect(await world.log.beginEpoch(epoch)).toEqual(next);
    const projector = await start();
    expect(await shownMids()).toEqual([1, 2]);
    expect((await checkpoint()).epoch).toBe(next.epoch);
    expect(await pushedEpochs()).toEqual([]);
    await world.given(sent(talk, 2, 3, '三'));
    await caughtUp(world, projector);
    expect(await pushedEpochs()).toEqual([next.epoch]);
  });

  it.each([
    [
      'is of another installation',
      "update log.identity set installation = 'another'",
      /installation another/,
    ],
    ['names none, as one that was emptied', 'delete from log.identity', /empty or was replaced/],
  ])(
    'are left as they are while the log %s, and go on once it is theirs again',
    async (_, change, reason) => {
      const kept = await checkpoint();
      await world.query(change);
      await world.query('create table log.aside as select * from log.events');
      await world.query('delete from log.events');
      const projector = await start();
      await until(() => projector.status().fault !== undefined);
      const fault = { reason: expect.stringMatching(reason) };
      expect(projector.status()).toMatchObject({ active: false, fault });
      await expect.poll(() => recordedFault(world), { timeout: 15_000 }).toEqual(fault);
      expect(await shownMids()).toEqual([1, 2]);
      expect(await checkpoint()).toEqual(kept);
      await world.query('insert into log.events select * from log.aside');
      await world.query(
        'insert into log.identity values ($1, $2) on conflict (one_row) do update set installation = $1',
        [kept.installation, kept.epoch],
      );
      await until(() => projector.status().active);
      expect(projector.status().fault).toBeUndefined();
      expect(await recordedFault(world)).toBeUndefined();
      expect(await checkpoint()).toEqual(kept);
    },
  );
});
