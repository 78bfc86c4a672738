import { describe, expect, it } from 'vitest';
import { LogFailure, type NewEvent, startOfLog } from '../../services/log/log.ts';
import { shortTimeouts, useDoubles } from './eventstoredb-double-harness.ts';
import { collect, event, events, idsOf, streamOf } from './specimens.ts';

describe('appending to an EventStoreDB that fails (a double)', () => {
  const world = useDoubles();

  it.each(['any', 'none', 3] as const)(
    'repeats a doubtful append, expecting %s, and finds that it was stored',
    async (expected) => {
      const double = await world.start();
      const log = world.open(double);
      if (expected === 3) await log.append(streamOf('doubt'), 'none', events(4));
      double.faults.push('break after storing', 'break after storing');
      const revision = expected === 3 ? 5 : 1;
      const answer = await log.append(streamOf('doubt'), expected, events(2));
      expect(answer).toMatchObject({ outcome: 'appended', revision });
      expect(double.store.stream('doubt-1')).toHaveLength(revision + 1);
    },
  );

  it('stores an append once, although a restarted server has forgotten recent ids', async () => {
    const double = await world.start();
    const log = world.open(double);
    await log.append(streamOf('doubt'), 'any', events(1));
    double.faults.push('restart after storing');
    const answer = await log.append(streamOf('doubt'), 'any', events(2));
    expect(answer).toMatchObject({ outcome: 'appended', revision: 2 });
    expect(double.store.stream('doubt-1')).toHaveLength(3);
  });

  it('finds a failed doubtful append when the caller repeats it, even with other events after the first', async () => {
    const double = await world.start();
    const log = world.open(double, shortTimeouts);
    const given = events(2);
    const stream = streamOf('given-up');
    await log.append(streamOf('before'), 'any', events(1));
    double.faults.push(...Array.from({ length: 50 }, () => 'restart after storing' as const));
    double.freeze();
    await expect(log.append(stream, 'any', given)).rejects.toMatchObject({ kind: 'doubtful' });
    // A repeat that cannot find out whether it was stored is doubtful, too.
    await expect(log.append(stream, 'any', given)).rejects.toMatchObject({ kind: 'doubtful' });
    double.thaw();
    await expect.poll(() => double.store.stream(stream).length).toBe(2);
    double.faults.length = 0;
    await expect.poll(() => log.healthy()).toBe(true);
    const again = await log.append(stream, 'any', [given[0], event()]);
    expect(again).toMatchObject({ outcome: 'already appended', revision: 0 });
    expect(double.store.stream(stream)).toHaveLength(2);
  });

  it('distinguishes two concurrent appends of one id by two processes', async () => {
    const double = await world.start();
    const [one, other] = [world.open(double), world.open(double)];
    const named = (mid: number): [NewEvent] => [
      { ...event({ mid }), id: '2ed6657d-e927-568b-95e1-2665a8aea6a2' as NewEvent['id'] },
    ];
    const answers = await Promise.all([
      one.append(streamOf('twice'), 'any', named(1)),
      other.append(streamOf('twice'), 'any', named(2)),
    ]);
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(['already appended', 'appended']);
    const [stored] = await collect(one.readStream(streamOf('twice')));
    const winner = answers[0]?.outcome === 'appended' ? 1 : 2;
    expect(stored?.data).toEqual({ mid: winner });
  });

  it('repeats an append that the server dropped silently, after its own timeout', async () => {
    const double = await world.start();
    const log = world.open(double, { attemptMs: 200 });
    double.faults.push('drop');
    expect(await log.append(streamOf('dropped'), 'any', events(1))).toMatchObject({ outcome: 'appended' });
    expect(double.appendsSeen).toBe(2);
  });

  it('retries while the server is not ready', async () => {
    const double = await world.start();
    const log = world.open(double);
    double.faults.push('not ready', 'not ready', 'not ready');
    expect(await log.append(streamOf('ready'), 'none', events(1))).toMatchObject({ outcome: 'appended' });
  });

  it('connects to the leader that a follower names', async () => {
    const [follower, leader] = [await world.start(), await world.start()];
    const log = world.open(follower);
    follower.faults.push({ notLeader: { port: leader.port } });
    expect(await log.append(streamOf('led'), 'none', events(1))).toMatchObject({ outcome: 'appended' });
    expect(leader.store.stream('led-1')).toHaveLength(1);
    expect(follower.store.records).toEqual([]);
  });

  it('fails as unavailable while the server is away', async () => {
    const double = await world.start();
    const log = world.open(double, shortTimeouts);
    double.kill();
    await expect(log.append(streamOf('away'), 'any', events(1))).rejects.toMatchObject({
      name: 'LogFailure',
      kind: 'unavailable',
    });
    await expect(collect(log.readStream(streamOf('away')))).rejects.toBeInstanceOf(LogFailure);
    expect(await log.healthy()).toBe(false);
    await double.start();
    expect(await log.append(streamOf('away'), 'any', events(1))).toMatchObject({ outcome: 'appended' });
    expect(await log.healthy()).toBe(true);
  });

  it('fails as doubtful when the server freezes, and works again when it thaws', async () => {
    const double = await world.start();
    const log = world.open(double, shortTimeouts);
    const done = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const batch of log.subscribe({ after: startOfLog, signal: done.signal }))
        seen.push(...idsOf(batch));
    })();
    await log.append(streamOf('frozen'), 'any', events(1));
    double.freeze();
    const given = events(2);
    await expect(log.append(streamOf('frozen'), 'any', given)).rejects.toMatchObject({ kind: 'doubtful' });
    await expect.poll(() => log.healthy()).toBe(false);
    await expect(collect(log.readAll())).rejects.toMatchObject({ kind: 'unavailable' });
    double.thaw();
    await expect.poll(() => log.healthy()).toBe(true);
    // The doubtful append was stored after all, or is stored now: it is in the log once.
    expect(await log.append(streamOf('frozen'), 'any', given)).toMatchObject({
      revision: expect.any(Number),
    });
    await log.append(streamOf('frozen'), 'any', events(1));
    const ids = double.store.records.map(({ id }) => id);
    expect(ids).toHaveLength(4);
    await expect.poll(() => seen).toEqual(ids);
    done.abort();
    await following;
  });
});
