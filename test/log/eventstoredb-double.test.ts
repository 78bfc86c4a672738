import { pino } from 'pino';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  type EventStoreDBTimeouts,
  openEventStoreDBLog,
} from '../../services/log/eventstoredb/eventstoredb-log.ts';
import { LogChanged, StrangeLog } from '../../services/log/identity.ts';
import {
  type AppendResult,
  type EventLog,
  LogFailure,
  type NewEvent,
  type Position,
  startOfLog,
} from '../../services/log/log.ts';
import { prefixedLog } from '../../services/log/prefixed.ts';
import { EventStoreDBDouble } from '../support/eventstoredb-double.ts';
import { describeEventLog } from './contract.ts';
import { describeFreezing } from './contract-freezing.ts';
import { collect, event, events, foreignTexts, idsOf, orderFaults, streamOf, take } from './specimens.ts';

const logger = pino({ level: 'silent' });

function expectAppended(result: AppendResult): { readonly position: Position } {
  if (result.outcome !== 'appended') throw new Error(`not appended: ${result.outcome}`);
  return result;
}

describeEventLog('a double of EventStoreDB, which tests our own reactions', {
  async make() {
    const double = new EventStoreDBDouble();
    await double.start();
    return {
      open: async () => openEventStoreDBLog({ url: double.url, logger }),
      remove: async () => double.kill(),
    };
  },
});

describeFreezing('a double of EventStoreDB', async () => {
  const double = new EventStoreDBDouble();
  await double.start();
  onTestFinished(() => double.kill());
  return {
    port: double.port,
    open: async (port) => openEventStoreDBLog({ url: `esdb://127.0.0.1:${port}?tls=false`, logger }),
  };
});

describe('our reactions to what EventStoreDB does when it fails (a double stands in for it)', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  const started = async () => {
    const double = new EventStoreDBDouble();
    await double.start();
    ends.push(() => double.kill());
    return double;
  };
  const opened = (double: EventStoreDBDouble, timeouts: Partial<EventStoreDBTimeouts> = {}): EventLog => {
    const log = openEventStoreDBLog({ url: double.url, logger, timeouts });
    ends.push(() => log.close());
    return log;
  };
  const short: EventStoreDBTimeouts = {
    attemptMs: 300,
    appendMs: 600,
    readMs: 600,
    heartbeat: { silenceMs: 100, answerTimeoutMs: 200 },
  };

  /** A log with an identity and three events, whose subscription has shown them all. */
  const followed = async (double: EventStoreDBDouble) => {
    const log = opened(double, short);
    await log.found({ installation: 'ours', epoch: 'first' });
    const stream = streamOf('kept');
    for (let count = 0; count < 3; count++) await log.append(stream, 'any', events(1));
    const seen: number[] = [];
    const signal = new AbortController();
    ends.push(() => signal.abort());
    const ended = (async () => {
      const options = { after: startOfLog, prefixes: ['kept-'], signal: signal.signal };
      for await (const batch of log.subscribe(options)) seen.push(...batch.map(({ revision }) => revision));
    })().catch((error: unknown) => error);
    await expect.poll(() => seen).toEqual([0, 1, 2]);
    return { log, stream, ended };
  };

  it('begins another epoch where the server was restored from an older backup, and lets go of what it knew', async () => {
    const double = await started();
    const { log, stream, ended } = await followed(double);
    const { generation } = log;
    let changes = 0;
    log.onChanged(() => changes++);
    double.kill();
    double.store.restore(2);
    await double.start();
    expect(await ended).toBeInstanceOf(LogChanged);
    expect([changes, log.generation]).toEqual([1, generation + 1]);
    expect(await log.identity()).toMatchObject({ installation: 'ours' });
    expect((await log.identity())?.epoch).not.toBe('first');
    await expect(log.append(stream, 'any', events(1), generation)).rejects.toBeInstanceOf(LogFailure);
    expect(await log.append(stream, 0, events(1))).toMatchObject({ outcome: 'appended', revision: 1 });
  });

  it('notices an older backup where nothing is appended and the server takes the subscription all the same', async () => {
    const double = await started();
    const { ended } = await followed(double);
    double.kill();
    double.store.restore(2);
    double.waitsBeyondEnd = true;
    await double.start();
    expect(await ended).toBeInstanceOf(LogChanged);
  });

  it('appends nothing where the server was emptied, leaves it as it is, and ends what is followed', async () => {
    const double = await started();
    const { log, stream, ended } = await followed(double);
    double.kill();
    double.store.restore(0);
    double.waitsBeyondEnd = true;
    await double.start();
    expect(await ended).toBeInstanceOf(StrangeLog);
    const failed = await log.append(stream, 'any', events(1)).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(LogFailure);
    expect(String(failed)).toMatch(/installation ours/);
    expect(double.store.records).toEqual([]);
  });

  it('gives the texts of events that others wrote as they are, and an object whatever they say', async () => {
    const double = await started();
    const log = opened(double, short);
    const stream = streamOf('changed');
    await log.append(stream, 'none', events(foreignTexts.length));
    for (const [index, { text }] of foreignTexts.entries()) {
      double.store.records[index]?.proposal.setData(Buffer.from(text)).setCustomMetadata(Buffer.from(text));
    }
    const stored = await collect(log.readStream(stream));
    expect(stored.map(({ raw: { data, metadata } }) => [data, metadata])).toEqual(
      foreignTexts.map(({ text }) => [text, text]),
    );
    expect(stored.map(({ data }) => data)).toEqual(foreignTexts.map(({ parsed }) => parsed));
  });

  it('tells of a subscription that fails again and again', async () => {
    const told: string[] = [];
    const listener = pino({ level: 'warn' }, { write: (line) => void told.push(line) });
    const double = await started();
    const log = openEventStoreDBLog({ url: double.url, logger: listener, timeouts: short });
    ends.push(() => log.close());
    const signal = new AbortController();
    ends.push(() => signal.abort());
    const beyond = '0000000000000009999-0000000000000009999' as Position;
    void (async () => {
      for await (const _ of log.subscribe({ after: beyond, signal: signal.signal })) break;
    })();
    await expect
      .poll(() => told.some((line) => /fails again and again/.test(line)), { timeout: 20_000 })
      .toBe(true);
  });

  it('has streams of one prefix apart from those of others, under the names without it', async () => {
    const double = await started();
    const store = opened(double);
    const log = prefixedLog(store, 'chat-');
    await store.append(streamOf('user', 1), 'none', events(1));
    const ours = events(2);
    const { position } = expectAppended(await log.append(streamOf('user', 1), 'none', ours));
    await store.append(streamOf('foreign', 1), 'none', events(50));
    expect(await log.end()).toBe(position);
    expect(await log.end(['user-'])).toBe(position);
    expect(await store.end()).not.toBe(position);
    const records = await collect(log.readAll({ prefixes: ['user-'] }));
    expect(idsOf(records)).toEqual(idsOf(ours));
    expect(records.map(({ stream }) => stream)).toEqual([streamOf('user', 1), streamOf('user', 1)]);
    expect(idsOf(await collect(log.readStream(streamOf('user', 1))))).toEqual(idsOf(ours));
    expect(idsOf(await take(log, 2, { after: startOfLog, prefixes: ['user-'] }))).toEqual(idsOf(ours));
    expect(double.store.records.map(({ stream }) => stream)).toContain('chat-user-1');
  });

  it('follows without a gap where live subscriptions are ended under load', async () => {
    const double = await started();
    const log = opened(double);
    const seen = take(log, 1_000, { after: startOfLog });
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        Array.from({ length: 40 }, (_, caller) => log.append(streamOf('load', caller), 'any', events(5))),
      );
    }
    const records = await seen;
    expect(double.drops).toBeGreaterThan(0);
    expect(orderFaults(records)).toEqual([]);
    expect(idsOf(records)).toEqual(double.store.records.map(({ id }) => id));
  });

  it('reads on to the end where the server drops the read near it', async () => {
    const double = await started();
    const log = opened(double);
    await Promise.all(
      Array.from({ length: 50 }, (_, caller) => log.append(streamOf('long', caller), 'any', events(10))),
    );
    double.cuts.push(490, 3, 0, 0, 2);
    const records = await collect(log.readAll());
    expect(idsOf(records)).toEqual(double.store.records.map(({ id }) => id));
    expect(double.drops).toBe(5);
  });

  it('reads on where the server is started anew in the middle of a read', async () => {
    const double = await started();
    const log = opened(double);
    await log.append(streamOf('long'), 'any', events(2_000));
    const seen: string[] = [];
    for await (const { id } of log.readAll()) {
      if (seen.push(id) !== 10) continue;
      double.kill();
      await double.start();
    }
    expect(seen).toEqual(double.store.records.map(({ id }) => id));
  });

  it.each([
    ['drops it at once each time', (double: EventStoreDBDouble) => double.cuts.push(...Array(100).fill(0))],
    ['is away from its middle on', (double: EventStoreDBDouble) => double.kill()],
    ['freezes in its middle', (double: EventStoreDBDouble) => double.freeze()],
  ])('gives a read up where the server %s, and nothing came in time', async (_, fail) => {
    const double = await started();
    const log = opened(double, short);
    await log.append(streamOf('long'), 'any', events(2_000));
    let given = 0;
    const reading = async () => {
      double.cuts.push(1_000);
      for await (const _ of log.readAll()) if (++given === 10) fail(double);
    };
    await expect(reading()).rejects.toMatchObject({ kind: 'unavailable' });
    expect(given).toBeGreaterThanOrEqual(10);
    expect(given).toBeLessThan(2_000);
  });

  it('ends a read when the log is closed', async () => {
    const double = await started();
    const log = opened(double);
    await log.append(streamOf('long'), 'any', events(2_000));
    const reading = async () => {
      for await (const _ of log.readAll()) {
        double.freeze();
        await log.close();
      }
    };
    await expect(reading()).rejects.toMatchObject({ kind: 'unavailable', message: 'the log is closed' });
  });

  it.each(['any', 'none', 3] as const)(
    'repeats what was in doubt, expecting %s, and finds that it had stored it',
    async (expected) => {
      const double = await started();
      const log = opened(double);
      if (expected === 3) await log.append(streamOf('doubt'), 'none', events(4));
      double.faults.push('break after storing', 'break after storing');
      const revision = expected === 3 ? 5 : 1;
      const answer = await log.append(streamOf('doubt'), expected, events(2));
      expect(answer).toMatchObject({ outcome: 'appended', revision });
      expect(double.store.stream('doubt-1')).toHaveLength(revision + 1);
    },
  );

  it('stores it once, although a server that is started anew has forgotten the ids of late', async () => {
    const double = await started();
    const log = opened(double);
    await log.append(streamOf('doubt'), 'any', events(1));
    double.faults.push('restart after storing');
    const answer = await log.append(streamOf('doubt'), 'any', events(2));
    expect(answer).toMatchObject({ outcome: 'appended', revision: 2 });
    expect(double.store.stream('doubt-1')).toHaveLength(3);
  });

  it('finds what was given up in doubt when the caller repeats it, in whatever words', async () => {
    const double = await started();
    const log = opened(double, short);
    const given = events(2);
    const stream = streamOf('given-up');
    await log.append(streamOf('before'), 'any', events(1));
    double.faults.push(...Array.from({ length: 50 }, () => 'restart after storing' as const));
    double.freeze();
    await expect(log.append(stream, 'any', given)).rejects.toMatchObject({ kind: 'doubtful' });
    // A repeat that cannot look whether it was stored does not say that nothing was.
    await expect(log.append(stream, 'any', given)).rejects.toMatchObject({ kind: 'doubtful' });
    double.thaw();
    await expect.poll(() => double.store.stream(stream).length).toBe(2);
    double.faults.length = 0;
    await expect.poll(() => log.healthy()).toBe(true);
    const again = await log.append(stream, 'any', [given[0], event()]);
    expect(again).toMatchObject({ outcome: 'already appended', revision: 0 });
    expect(double.store.stream(stream)).toHaveLength(2);
  });

  it('tells a repeat by another process from the first, where both come at once with other content', async () => {
    const double = await started();
    const [one, other] = [opened(double), opened(double)];
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

  it('repeats what the server dropped without a word, after its own deadline', async () => {
    const double = await started();
    const log = opened(double, { attemptMs: 200 });
    double.faults.push('drop');
    expect(await log.append(streamOf('dropped'), 'any', events(1))).toMatchObject({ outcome: 'appended' });
    expect(double.appendsSeen).toBe(2);
  });

  it('waits while the server is not ready', async () => {
    const double = await started();
    const log = opened(double);
    double.faults.push('not ready', 'not ready', 'not ready');
    expect(await log.append(streamOf('ready'), 'none', events(1))).toMatchObject({ outcome: 'appended' });
  });

  it('goes to the leader that it is told of', async () => {
    const [follower, leader] = [await started(), await started()];
    const log = opened(follower);
    follower.faults.push({ notLeader: { port: leader.port } });
    expect(await log.append(streamOf('led'), 'none', events(1))).toMatchObject({ outcome: 'appended' });
    expect(leader.store.stream('led-1')).toHaveLength(1);
    expect(follower.store.records).toEqual([]);
  });

  it('gives up on a server that is away: nothing was stored', async () => {
    const double = await started();
    const log = opened(double, short);
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

  it('is in doubt where the server freezes, and goes on when it thaws', async () => {
    const double = await started();
    const log = opened(double, short);
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
    // What was given up in doubt had been taken after all, or is taken now: it stands once.
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
