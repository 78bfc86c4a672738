import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leaseMs } from '../../services/followers/lease.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { sent } from '../support/events.ts';
import { caughtUp } from '../support/projecting.ts';
import { openProjectorsWorld, type ProjectorsWorld, talk, waiting } from '../support/projectors.ts';
import { startDatabaseProxy } from '../support/proxy.ts';

/* The lease of any follower, tested with the projector. */

let world: ProjectorsWorld;
beforeEach(async () => {
  world = await openProjectorsWorld();
});
afterEach(() => world.close());

describe('a follower whose connections freeze', () => {
  it.each([
    ['all of them', []],
    ['the one of its batches', [1]],
    ['the one of its lease', [0]],
  ])('works again within 8 s: %s', async (_, frozen) => {
    const proxy = await startDatabaseProxy(world.url, world.atClose);
    const projector = await world.start(world.log, proxy.url);
    await world.given(sent(talk, 1, 10, 'x'));
    await caughtUp(world, projector);
    proxy.freeze(...frozen);
    const begun = performance.now();
    await world.given(sent(talk, 1, 11, 'y'));
    await caughtUp(world, projector);
    expect(await world.mids()).toEqual([10, 11]);
    expect(performance.now() - begun).toBeLessThan(8_000);
    await world.given(sent(talk, 1, 12, 'z'));
    await caughtUp(world, projector);
    expect(await world.mids()).toEqual([10, 11, 12]);
    expect(await world.pushedMids()).toEqual([10, 11, 12]);
  });
});

describe('of two followers of one name', () => {
  it('one works, and the other takes over within seconds when the first is killed', async () => {
    const child = world.startProcess();
    await vi.waitUntil(async () => (await world.query('select 1 from read.users')).length === 2, waiting);
    const standby = await world.start();
    await world.given(sent(talk, 1, 10, 'x'));
    await vi.waitUntil(async () => (await world.mids()).length === 1, waiting);
    expect(standby.status().active).toBe(false);
    child.kill('SIGKILL');
    const killed = performance.now();
    await world.given(sent(talk, 2, 11, 'y'));
    await caughtUp(world, standby);
    expect(performance.now() - killed).toBeLessThan(5_000);
    expect(standby.status().active).toBe(true);
    expect(await world.mids()).toEqual([10, 11]);
    expect(await world.pushedMids()).toEqual([10, 11]);
  });

  it('the other takes over within seconds from one whose host is lost in the middle of a batch', async () => {
    const lost = await openClient(world.url, { name: 'lost', statementTimeoutMs: 60_000 });
    await lost.query("set idle_in_transaction_session_timeout = '60s'");
    const ended = new Promise<void>((resolve) => lost.on('end', resolve));
    await lost.query(
      `update followers.lease set holder = 'lost', fence = fence + 1, backend = pid, backend_started = backend_start
         from pg_stat_activity where pid = pg_backend_pid() and name = 'read'`,
    );
    await lost.query(`update followers.checkpoint set fence = fence + 1 where name = 'read'`);
    await lost.query(`begin; select followers.advance('read', '', 1, 'somewhere', null, 1)`);
    const standby = await world.start();
    const begun = performance.now();
    await caughtUp(world, standby);
    expect(performance.now() - begun).toBeLessThan(5_000);
    await ended;
    expect(await world.query('select 1 from read.users')).toHaveLength(2);
  });

  it('the other waits as long as the lease is renewed, despite jumps of the database’s clock', async () => {
    const keeper = await openClient(world.url, { name: 'keeper', statementTimeoutMs: 1_000 });
    await keeper.query(
      `update followers.lease set holder = 'another', backend = pid, backend_started = backend_start
         from pg_stat_activity where pid = pg_backend_pid() and name = 'read'`,
    );
    const standby = await world.start();
    const begun = performance.now();
    while (performance.now() - begun < 2 * leaseMs) {
      await keeper.query(`update followers.lease set renewals = renewals + 1 where name = 'read'`);
      await delay(100);
      expect(standby.status().active).toBe(false);
    }
    await caughtUp(world, standby);
    expect(standby.status().active).toBe(true);
    await keeper.end();
  });

  it('the other takes over at once when the first is stopped', async () => {
    const first = await world.start();
    await caughtUp(world, first);
    const second = await world.start();
    await first.stop();
    const stopped = performance.now();
    await vi.waitUntil(() => second.status().active, waiting);
    expect(performance.now() - stopped).toBeLessThan(1_400);
  });
});
