import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstReplacedMid } from '../../contracts/ids.ts';
import { leaseMilliseconds } from '../../projections/runner/lease.ts';
import { type Projector, startProjector } from '../../projections/runner/projector.ts';
import { expirePushes } from '../../projections/runner/push-expiry.ts';
import type { Tick } from '../../services/bus/bus.ts';
import { skipEvent } from '../../services/commands/skip-event.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import type { EventLog, Position, RecordedEvent, SubscribeOptions } from '../../services/log/log.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { between, created, gid, mid, registered, sent, uid } from '../support/events.ts';
import { caughtUp, inBatchesOf, newEventId, openWorld, silent, type World } from '../support/projecting.ts';
import { startDatabaseProxy } from '../support/proxy.ts';
import { wrapLog } from '../support/wrapped-log.ts';

const talk = between(1, 2);
const script = new URL('../support/projector-process.ts', import.meta.url).pathname;

let world: World;
let projectors: Projector[];
let processes: ChildProcess[];
/** What must be over before the database goes. */
let ends: (() => void | Promise<void>)[];

beforeEach(async () => {
  world = await openWorld();
  projectors = [];
  processes = [];
  ends = [];
  await world.given(registered(1, '甲'), registered(2, '乙'));
});

afterEach(async () => {
  for (const child of processes) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await Promise.all(projectors.map((projector) => projector.stop()));
  for (const end of ends) await end();
  await world.close();
});

async function start(log: EventLog = world.log): Promise<Projector> {
  const projector = await startProjector({ log, database: world.url, bus: world.bus, logger: silent });
  projectors.push(projector);
  return projector;
}

function startProcess(...parameters: string[]): ChildProcess {
  const child = spawn(process.execPath, [script, world.url, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  return child;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const patience = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > patience) throw new Error('it did not come to that');
    await delay(10);
  }
}

/** The mids in the conversation, in its order; throws where its sequence has a gap. */
async function mids(): Promise<number[]> {
  const rows = await world.query<{ mid: string; sequence: string }>(
    'select mid, sequence from read.messages where conversation = $1 order by sequence',
    [talk],
  );
  expect(rows.map(({ sequence }) => Number(sequence))).toEqual(rows.map((_, index) => index + 1));
  return rows.map((row) => Number(row.mid));
}

/** The mids pushed to one of the two, in order. */
async function pushedMids(): Promise<unknown[]> {
  const pushes = await world.pushes();
  return pushes
    .filter(({ channel, event }) => channel === 'user-2' && event === 'message')
    .map(({ data }) => data.mid);
}

/** What a log gives its subscribers, with each record changed. */
async function* mapped(
  log: EventLog,
  options: SubscribeOptions,
  change: (record: RecordedEvent) => RecordedEvent,
) {
  for await (const records of log.subscribe(options)) yield records.map(change);
}

const backends = `select pg_terminate_backend(pid) from pg_stat_activity
  where application_name = 'bubble-im projector' and datname = current_database()`;

describe('a projector', () => {
  it('tells of each batch once it stands, and at its beginning how far the read models are', async () => {
    const ticks: Tick[] = [];
    let shown: Promise<unknown[]> = Promise.resolve([]);
    const heard: unknown[] = [];
    world.bus.onTick((tick) => ticks.push(tick));
    world.bus.onChannel('user-2', ({ data }) => {
      heard.push(JSON.parse(data).mid);
      shown = world.query('select mid from read.messages');
    });
    const projector = await start();
    await caughtUp(world, projector);
    expect(ticks[0]).toMatchObject({ checkpoint: '', batch: 0 });
    await world.given(sent(talk, 1, 10, 'x'));
    await caughtUp(world, projector);
    expect(heard).toEqual([10]);
    expect(await shown).toEqual([{ mid: '10' }]);
    expect(ticks.at(-1)?.checkpoint).toBe(await world.log.end());
    expect(ticks.slice(1).map(({ batch }) => batch)).toEqual(ticks.slice(1).map((_, index) => index + 1));
    expect(projector.status()).toMatchObject({ active: true, checkpoint: await world.log.end() });
    expect(await projector.lag()).toBe(0);
  });

  it('goes on where it left off after being stopped', async () => {
    await world.given(sent(talk, 1, 10, 'x'));
    await world.project();
    await world.given(sent(talk, 1, 11, 'y'));
    await world.project();
    expect(await mids()).toEqual([10, 11]);
    expect(await pushedMids()).toEqual([10, 11]);
  });

  it('ignores events of streams that are not ours', async () => {
    const metadata = { time: 0, actor: 'server', version: 1, $correlationId: 'x', $causationId: 'x' };
    await world.log.append(streamName('elsewhere-1'), 'any', [
      { id: newEventId(), type: 'Unheard', data: {}, metadata },
    ]);
    await world.given(sent(talk, 1, 10, 'x'));
    await world.project();
    expect(await mids()).toEqual([10]);
  });
});

describe('exactly once in effect', () => {
  it('where the connection dies between the changes and the commit', async () => {
    const projector = await start();
    await caughtUp(world, projector);
    const blocker = new Client({ connectionString: world.url });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('lock table read.push in access exclusive mode');
    await world.given(sent(talk, 1, 10, 'x'));
    // All but the last of the batch's statements have run now.
    await until(async () => {
      const waiting = await world.query(
        `select 1 from pg_locks where not granted and relation = 'read.push'::regclass`,
      );
      return waiting.length > 0;
    });
    expect(await mids()).toEqual([]);
    await world.query(backends);
    await blocker.query('rollback');
    await blocker.end();
    await caughtUp(world, projector);
    expect(await mids()).toEqual([10]);
    expect(await pushedMids()).toEqual([10]);
  });

  it('where it dies after the commit, before it has told anyone', async () => {
    await world.given(sent(talk, 1, 10, 'x'), sent(talk, 1, 11, 'y'));
    // The first it would tell is how far the read models are, the second its first batch.
    const child = startProcess('1');
    await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    const [before] = await world.query<{ batch: string; fence: string }>('select * from read.checkpoint');
    expect(Number(before?.batch)).toBe(1);
    const committed = await mids();
    const ticks: Tick[] = [];
    world.bus.onTick((tick) => ticks.push(tick));
    const projector = await start();
    await until(() => projector.status().active);
    await caughtUp(world, projector);
    expect(committed.length).toBeGreaterThan(0);
    expect(await mids()).toEqual([10, 11]);
    expect(await pushedMids()).toEqual([10, 11]);
    // Who listens sees a batch that it was never told of, under another projector's number.
    expect(ticks[0]?.batch).toBe(1);
    expect(ticks[0]?.fence).toBeGreaterThan(Number(before?.fence));
  });

  it('where its connections die again and again under load', async () => {
    const projector = await start();
    const sending = (async () => {
      for (let number = 1; number <= 150; number++) await world.given(sent(talk, 1, number, 'x'));
    })();
    for (let round = 0; round < 8; round++) {
      const before = (await mids()).length;
      await until(async () => (await mids()).length > before || (await mids()).length === 150);
      await world.query(backends);
    }
    await sending;
    await caughtUp(world, projector);
    const all = Array.from({ length: 150 }, (_, index) => index + 1);
    expect(await mids()).toEqual(all);
    expect(await pushedMids()).toEqual(all);
  });

  it('where another has gone on from the checkpoint: it steps down and takes the rows anew', async () => {
    const projector = await start();
    await world.given(sent(talk, 1, 10, 'x'));
    await caughtUp(world, projector);
    await world.query("update read.lease set holder = 'another', backend = null");
    await world.query('update read.checkpoint set fence = fence + 1');
    await world.given(sent(talk, 1, 11, 'y'));
    await until(() => !projector.status().active);
    expect(await mids()).toEqual([10]);
    await caughtUp(world, projector);
    expect(projector.status().active).toBe(true);
    expect(await mids()).toEqual([10, 11]);
    expect(await pushedMids()).toEqual([10, 11]);
  });
});

describe('a projector whose connections freeze', () => {
  it.each([
    ['all of them', []],
    ['the one of its batches', [1]],
    ['the one of its lease', [0]],
  ])('goes on within seconds: %s', async (_, frozen) => {
    const proxy = await startDatabaseProxy(world.url, (end) => void ends.push(end));
    const projector = await startProjector({
      log: world.log,
      database: proxy.url,
      bus: world.bus,
      logger: silent,
    });
    projectors.push(projector);
    await world.given(sent(talk, 1, 10, 'x'));
    await caughtUp(world, projector);
    proxy.freeze(...frozen);
    const begun = performance.now();
    await world.given(sent(talk, 1, 11, 'y'));
    await caughtUp(world, projector);
    expect(await mids()).toEqual([10, 11]);
    expect(performance.now() - begun).toBeLessThan(8_000);
    await world.given(sent(talk, 1, 12, 'z'));
    await caughtUp(world, projector);
    expect(await mids()).toEqual([10, 11, 12]);
    expect(await pushedMids()).toEqual([10, 11, 12]);
  });
});

describe('of two projectors', () => {
  it('one works, and the other takes over within seconds when the first is killed', async () => {
    const child = startProcess();
    await until(async () => (await world.query('select 1 from read.users')).length === 2);
    const standby = await start();
    await world.given(sent(talk, 1, 10, 'x'));
    await until(async () => (await mids()).length === 1);
    expect(standby.status().active).toBe(false);
    child.kill('SIGKILL');
    const killed = performance.now();
    await world.given(sent(talk, 2, 11, 'y'));
    await caughtUp(world, standby);
    expect(performance.now() - killed).toBeLessThan(5_000);
    expect(standby.status().active).toBe(true);
    expect(await mids()).toEqual([10, 11]);
    expect(await pushedMids()).toEqual([10, 11]);
  });

  it('the other takes over within seconds from one whose host is lost in the middle of a batch', async () => {
    const lost = await openClient(world.url, { name: 'lost', statement: 60_000 });
    await lost.query("set idle_in_transaction_session_timeout = '60s'");
    const ended = new Promise<void>((resolve) => lost.on('end', resolve));
    await lost.query(
      `update read.lease set holder = 'lost', fence = fence + 1, backend = pid, backend_started = backend_start
         from pg_stat_activity where pid = pg_backend_pid()`,
    );
    await lost.query('update read.checkpoint set fence = fence + 1');
    await lost.query(`begin; select read.advance('', 1, 'somewhere', null, 1)`);
    const standby = await start();
    const begun = performance.now();
    await caughtUp(world, standby);
    expect(performance.now() - begun).toBeLessThan(5_000);
    await ended;
    expect(await world.query('select 1 from read.users')).toHaveLength(2);
  });

  it('the other waits as long as the lease is renewed, whatever the clock of the database says', async () => {
    const keeper = await openClient(world.url, { name: 'keeper', statement: 1_000 });
    await keeper.query(
      `update read.lease set holder = 'another', backend = pid, backend_started = backend_start
         from pg_stat_activity where pid = pg_backend_pid()`,
    );
    const standby = await start();
    const begun = performance.now();
    while (performance.now() - begun < 2 * leaseMilliseconds) {
      await keeper.query('update read.lease set renewals = renewals + 1');
      await delay(100);
      expect(standby.status().active).toBe(false);
    }
    await caughtUp(world, standby);
    expect(standby.status().active).toBe(true);
    await keeper.end();
  });

  it('the other goes on at once when the first is stopped', async () => {
    const first = await start();
    await caughtUp(world, first);
    const second = await start();
    await first.stop();
    const stopped = performance.now();
    await until(() => second.status().active);
    expect(performance.now() - stopped).toBeLessThan(1_400);
  });
});

describe('an event that cannot be taken in', () => {
  const metadata = { time: 0, actor: 'server', version: 1, $correlationId: 'x', $causationId: 'x' };

  async function stopsAt(message: RegExp): Promise<void> {
    const bad = await world.log.end();
    await world.given(sent(talk, 1, 99, 'after'));
    const projector = await start(inBatchesOf(100, world.log));
    await until(() => projector.status().fault !== undefined);
    const { active, fault, checkpoint } = projector.status();
    expect(fault).toMatch(message);
    expect(active).toBe(false);
    expect(checkpoint < bad).toBe(true);
    expect(await mids()).toEqual([10]);
    expect(await pushedMids()).toEqual([10]);
    expect(await projector.lag()).toBeGreaterThan(0);
  }

  it('of an unknown type stops it there, by name, with all before it taken in and nothing after', async () => {
    await world.given(sent(talk, 1, 10, 'before'));
    await world.log.append(streamName('user-1'), 'any', [
      { id: newEventId(), type: 'UserTeleported', data: {}, metadata },
    ]);
    await stopsAt(/UserTeleported at user-1@1 /);
  });

  it('with broken data stops it there', async () => {
    await world.given(sent(talk, 1, 10, 'before'));
    await world.log.append(streamName('user-1'), 'any', [
      { id: newEventId(), type: 'ProfileChanged', data: { uid: 'x' }, metadata },
    ]);
    await stopsAt(/ProfileChanged at user-1@1 /);
  });

  it('on which a projection throws stops it there', async () => {
    await world.given(sent(talk, 1, 10, 'before'), {
      type: 'MemberJoined',
      data: { gid: gid(7), uid: uid(1), notice: { mid: mid(500), content: '' } },
    });
    await stopsAt(/MemberJoined at group-7@0 .*never created/);
  });

  it('whose rows Postgres refuses stops it there', async () => {
    await world.query(`alter table read.messages add check (content <> 'refused')`);
    await world.given(sent(talk, 1, 10, 'before'), sent(between(1, 3), 1, 11, 'refused'));
    await stopsAt(/MessageSent at conversation-f1-3@0 .*violates check/);
  });

  it('is not what has a mid that another message had first: that is shown under another mid', async () => {
    await world.given(sent(talk, 1, 10, 'first'), sent(between(1, 3), 1, 10, 'second'));
    await world.given(sent(talk, 2, 10, 'third'), sent(talk, 1, 12, 'after'));
    await world.project();
    const shown = await world.query<{ mid: string; content: string }>(
      'select mid, content from read.messages order by content',
    );
    expect(shown.map(({ content }) => content)).toEqual(['after', 'first', 'second', 'third']);
    const [after, first, ...others] = shown.map((row) => Number(row.mid));
    expect([after, first]).toEqual([12, 10]);
    for (const other of others) {
      expect(other).toBeGreaterThanOrEqual(firstReplacedMid);
      expect(Number.isSafeInteger(other)).toBe(true);
    }
    expect(new Set(others).size).toBe(2);
    expect((await pushedMids()).sort()).toEqual([10, others[1], 12].sort());
    const before = await world.everything();
    await world.forget();
    await world.project(inBatchesOf(1, world.log));
    expect(await world.everything()).toEqual(before);
  });

  it('lets another projector work, of a program that knows it, and does not go on after that one', async () => {
    await world.given(sent(talk, 1, 10, 'before'));
    const newer = await world.append({ type: 'ProfileChanged', data: { uid: uid(1), nickname: '丙' } });
    const strange = (record: RecordedEvent) =>
      record.position === newer ? { ...record, type: 'UserTeleported' } : record;
    const older = await start(
      wrapLog(world.log, { subscribe: (options) => mapped(world.log, options, strange) }),
    );
    await until(() => older.status().fault !== undefined);
    expect(older.status().fault).toMatch(/UserTeleported at user-1@1 .*unknown/);
    const knowing = await start();
    await world.given(sent(talk, 1, 11, 'after'));
    await caughtUp(world, knowing);
    expect(await mids()).toEqual([10, 11]);
    await knowing.stop();
    expect(older.status()).toMatchObject({ active: false, fault: expect.stringContaining('UserTeleported') });
  });

  it('is passed over once that was decided, and what follows is taken in', async () => {
    await world.given(sent(talk, 1, 10, 'before'));
    const bad = await world.append({
      type: 'MemberJoined',
      data: { gid: gid(7), uid: uid(1), notice: { mid: mid(500), content: '' } },
    });
    await world.given(sent(talk, 1, 11, 'after'));
    const projector = await start();
    await until(() => projector.status().fault !== undefined);
    const { event } = await skipEvent(world.log, bad, 'a test');
    expect(event).toMatchObject({ type: 'MemberJoined', stream: 'group-7' });
    await caughtUp(world, projector, { despiteFault: true });
    expect(await mids()).toEqual([10, 11]);
    expect(projector.status().fault).toBeUndefined();
    expect(projector.status().checkpoint).toBe(await world.log.end());
    await projector.stop();
    const before = await world.everything();
    await world.forget();
    await world.project();
    expect(await world.everything()).toEqual(before);
  });
});

describe('pushes past their time', () => {
  it('are deleted but for the newest of them', async () => {
    await world.given(created(50, '群', 1, 2), ...[1, 2, 3].map((number) => sent(talk, 1, number, 'x')));
    await world.project();
    const rows = await world.query<{ place: Position; number: number }>(
      'select place, number from read.push order by place, number',
    );
    const expire = () => expirePushes(world.url, new AbortController().signal);
    expect(await expire()).toBe(0);
    const newest = rows[4];
    await world.query(
      `update read.push set created = now() - interval '8 days' where (place, number) <= ($1, $2)`,
      [newest?.place, newest?.number],
    );
    expect(await expire()).toBe(4);
    expect(await world.query('select place, number from read.push order by place, number')).toEqual(
      rows.slice(4),
    );
    expect(await expire()).toBe(0);
  });

  it('are deleted by one projector at a time, for which a second one does not wait', async () => {
    await world.given(created(50, '群', 1, 2), ...[1, 2, 3].map((number) => sent(talk, 1, number, 'x')));
    await world.project();
    await world.query(`update read.push set created = now() - interval '8 days'`);
    const first = await openClient(world.url, { name: 'another expiry', statement: 10_000 });
    await first.query(`begin; select pg_advisory_xact_lock(hashtextextended('read.push expiry', 0))`);
    await first.query('select from read.push for update');
    const expire = () => expirePushes(world.url, new AbortController().signal);
    expect(await expire()).toBe(0);
    await first.query('rollback');
    expect(await expire()).toBeGreaterThan(0);
    expect(await world.query('select 1 from read.push')).toHaveLength(1);
    await first.end();
  });
});
