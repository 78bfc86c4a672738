import { once } from 'node:events';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tick } from '../../services/bus/bus.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { sent } from '../support/events.ts';
import { caughtUp, newEventId } from '../support/projecting.ts';
import {
  endBatchConnections,
  openProjectorsWorld,
  type ProjectorsWorld,
  talk,
  waiting,
} from '../support/projectors.ts';

let world: ProjectorsWorld;
beforeEach(async () => {
  world = await openProjectorsWorld();
});
afterEach(() => world.close());

describe('a projector', () => {
  it('announces each batch after its commit, and its checkpoint when it begins', async () => {
    const ticks: Tick[] = [];
    let shown: Promise<unknown[]> = Promise.resolve([]);
    const received: unknown[] = [];
    world.bus.onTick((tick) => ticks.push(tick));
    world.bus.onChannel('user-2', ({ data }) => {
      received.push(JSON.parse(data).mid);
      shown = world.query('select mid from read.messages');
    });
    const projector = await world.start();
    await caughtUp(world, projector);
    expect(ticks[0]).toMatchObject({ checkpoint: '', batch: 0 });
    await world.given(sent(talk, 1, 10, 'x'));
    await caughtUp(world, projector);
    expect(received).toEqual([10]);
    expect(await shown).toEqual([{ mid: '10' }]);
    expect(ticks.at(-1)?.checkpoint).toBe(await world.log.end());
    expect(ticks.slice(1).map(({ batch }) => batch)).toEqual(ticks.slice(1).map((_, index) => index + 1));
    expect(projector.status()).toMatchObject({ active: true, checkpoint: await world.log.end() });
    expect(await projector.lag()).toBe(0);
  });

  it('continues from its checkpoint after it was stopped', async () => {
    await world.given(sent(talk, 1, 10, 'x'));
    await world.project();
    await world.given(sent(talk, 1, 11, 'y'));
    await world.project();
    expect(await world.mids()).toEqual([10, 11]);
    expect(await world.pushedMids()).toEqual([10, 11]);
  });

  it('ignores events of streams that are not ours', async () => {
    const metadata = { time: 0, actor: 'server', version: 1, $correlationId: 'x', $causationId: 'x' };
    await world.log.append(streamName('elsewhere-1'), 'any', [
      { id: newEventId(), type: 'Unreceived', data: {}, metadata },
    ]);
    await world.given(sent(talk, 1, 10, 'x'));
    await world.project();
    expect(await world.mids()).toEqual([10]);
  });
});

describe('each event is applied exactly once', () => {
  it('if the connection is lost between the changes and the commit', async () => {
    const projector = await world.start();
    await caughtUp(world, projector);
    const blocker = new Client({ connectionString: world.url });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('lock table pushes.push in access exclusive mode');
    await world.given(sent(talk, 1, 10, 'x'));
    // All but the last of the batch's statements have run now.
    await vi.waitUntil(async () => {
      const waiting = await world.query(
        `select 1 from pg_locks where not granted and relation = 'pushes.push'::regclass`,
      );
      return waiting.length > 0;
    }, waiting);
    expect(await world.mids()).toEqual([]);
    await world.query(endBatchConnections);
    await blocker.query('rollback');
    await blocker.end();
    await caughtUp(world, projector);
    expect(await world.mids()).toEqual([10]);
    expect(await world.pushedMids()).toEqual([10]);
  });

  it('if the process is killed after the commit, before it has announced it', async () => {
    await world.given(sent(talk, 1, 10, 'x'), sent(talk, 1, 11, 'y'));
    // Its first announcement is the checkpoint, its second the first batch.
    const child = world.startProcess('1');
    await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    const [before] = await world.query<{ batch: string; fence: string }>(
      `select * from followers.checkpoint where name = 'read'`,
    );
    expect(Number(before?.batch)).toBe(1);
    const committed = await world.mids();
    const ticks: Tick[] = [];
    world.bus.onTick((tick) => ticks.push(tick));
    const projector = await world.start();
    await vi.waitUntil(() => projector.status().active, waiting);
    await caughtUp(world, projector);
    expect(committed.length).toBeGreaterThan(0);
    expect(await world.mids()).toEqual([10, 11]);
    expect(await world.pushedMids()).toEqual([10, 11]);
    // A listener sees a batch that it never received, under another projector's number.
    expect(ticks[0]?.batch).toBe(1);
    expect(ticks[0]?.fence).toBeGreaterThan(Number(before?.fence));
  });

  it('if its connections are lost again and again under load', async () => {
    const projector = await world.start();
    const sending = (async () => {
      for (let number = 1; number <= 150; number++) await world.given(sent(talk, 1, number, 'x'));
    })();
    for (let round = 0; round < 8; round++) {
      const before = (await world.mids()).length;
      await vi.waitUntil(
        async () => (await world.mids()).length > before || (await world.mids()).length === 150,
        waiting,
      );
      await world.query(endBatchConnections);
    }
    await sending;
    await caughtUp(world, projector);
    const all = Array.from({ length: 150 }, (_, index) => index + 1);
    expect(await world.mids()).toEqual(all);
    expect(await world.pushedMids()).toEqual(all);
  });

  it('if another has continued from the checkpoint: it steps down and reads the rows again', async () => {
    const projector = await world.start();
    await world.given(sent(talk, 1, 10, 'x'));
    await caughtUp(world, projector);
    await world.query("update followers.lease set holder = 'another', backend = null where name = 'read'");
    await world.query(`update followers.checkpoint set fence = fence + 1 where name = 'read'`);
    await world.given(sent(talk, 1, 11, 'y'));
    await vi.waitUntil(() => !projector.status().active, waiting);
    expect(await world.mids()).toEqual([10]);
    await caughtUp(world, projector);
    expect(projector.status().active).toBe(true);
    expect(await world.mids()).toEqual([10, 11]);
    expect(await world.pushedMids()).toEqual([10, 11]);
  });
});
