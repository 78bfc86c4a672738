import { describe, expect, it, onTestFinished } from 'vitest';
import { openEventStoreDBLog } from '../../services/log/eventstoredb/eventstoredb-log.ts';
import { type EventLog, startOfLog } from '../../services/log/log.ts';
import { DoubleCluster } from '../support/eventstoredb-double-cluster.ts';
import { shortTimeouts, silent } from './eventstoredb-double-harness.ts';
import { collect, events, idsOf, streamOf } from './specimens.ts';

/** A cluster, and a log on it that is named by `esdb+discover`. */
async function startCluster() {
  const cluster = await DoubleCluster.start(onTestFinished);
  const timeouts = { ...shortTimeouts, appendMs: 10_000 };
  const open = () => {
    const log = openEventStoreDBLog({ url: cluster.url, logger: silent, timeouts });
    onTestFinished(() => log.close());
    return log;
  };
  return { cluster, open };
}

/** Subscribes to all events. `received` grows by their ids; `end` ends it, and throws what it threw. */
function follow(log: EventLog) {
  const done = new AbortController();
  const received: string[] = [];
  const following = (async () => {
    for await (const batch of log.subscribe({ after: startOfLog, signal: done.signal })) {
      received.push(...idsOf(batch));
    }
  })();
  const end = () => {
    done.abort();
    return following;
  };
  return { received, end };
}

describe('a cluster of EventStoreDB that is named by all its nodes (doubles)', () => {
  it.each([0, 1])('is found over the others while the node %i is away', async (away) => {
    const { cluster, open } = await startCluster();
    cluster.kill(away);
    const log = open();
    expect(await log.append(streamOf('found'), 'none', events(1))).toMatchObject({ outcome: 'appended' });
    expect(await log.healthy()).toBe(true);
  });

  it('is unhealthy while no node leads, although all answer', async () => {
    const { cluster, open } = await startCluster();
    const log = open();
    expect(await log.healthy()).toBe(true);
    cluster.elect(undefined);
    await expect.poll(() => log.healthy()).toBe(false);
    cluster.elect(0);
    await expect.poll(() => log.healthy()).toBe(true);
  });

  it('fails a read in time while nodes that take connections do not say who leads', async () => {
    const { cluster, open } = await startCluster();
    for (const node of cluster.nodes) node.freeze();
    const log = open();
    const began = performance.now();
    await expect(collect(log.readStream(streamOf('frozen')))).rejects.toMatchObject({ kind: 'unavailable' });
    expect(performance.now() - began).toBeLessThan(4 * shortTimeouts.readMs);
    for (const node of cluster.nodes) node.thaw();
    await expect.poll(() => log.healthy()).toBe(true);
    expect(await collect(log.readStream(streamOf('frozen')))).toEqual([]);
  });

  it('is followed at the next leader, if the one before lost the others but still answers', async () => {
    const { cluster, open } = await startCluster();
    const log = open();
    const { received, end } = follow(log);
    await log.append(streamOf('led'), 'any', events(2));
    await expect.poll(() => received).toHaveLength(2);
    cluster.isolate(2);
    cluster.elect(0);
    expect(await log.append(streamOf('led'), 'any', events(2))).toMatchObject({ outcome: 'appended' });
    await expect.poll(() => received).toEqual(cluster.store.records.map(({ id }) => id));
    await end();
  });

  it('goes on at the next leader: what was in doubt is stored once, and all arrives once, in order', async () => {
    const { cluster, open } = await startCluster();
    const log = open();
    const { received, end } = follow(log);
    await log.append(streamOf('led'), 'any', events(2));
    for (const [leader, next] of [
      [2, 0],
      [0, 1],
    ] as const) {
      cluster.nodes[leader]?.faults.push('break after storing');
      const inDoubt = log.append(streamOf('led'), 'any', events(2));
      const stored = cluster.store.records.length + 2;
      await expect.poll(() => cluster.store.records.length).toBe(stored);
      cluster.kill(leader);
      await expect.poll(() => log.healthy()).toBe(false);
      cluster.elect(next);
      expect(await inDoubt).toMatchObject({ outcome: 'appended' });
      await log.append(streamOf('led'), 'any', events(2));
    }
    const stored = cluster.store.records.map(({ id }) => id);
    expect(stored).toHaveLength(10);
    await expect.poll(() => received).toEqual(stored);
    await end();
  });
});
