import { describe, expect, it, onTestFinished } from 'vitest';
import { openEventStoreDBLog } from '../../services/log/eventstoredb/eventstoredb-log.ts';
import { type AppendResult, type Position, startOfLog } from '../../services/log/log.ts';
import { prefixedLog } from '../../services/log/prefixed.ts';
import { EventStoreDBDouble } from '../support/eventstoredb-double.ts';
import { describeEventLog } from './contract.ts';
import { describeFreezing } from './contract-freezing.ts';
import { shortTimeouts, silent, useDoubles } from './eventstoredb-double-harness.ts';
import { collect, events, foreignTexts, idsOf, streamOf, take } from './specimens.ts';

function expectAppended(result: AppendResult): { readonly position: Position } {
  if (result.outcome !== 'appended') throw new Error(`not appended: ${result.outcome}`);
  return result;
}

describeEventLog('a double of EventStoreDB', {
  async make() {
    const double = new EventStoreDBDouble();
    await double.start();
    return {
      open: async () => openEventStoreDBLog({ url: double.url, logger: silent }),
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
    open: async (port) => openEventStoreDBLog({ url: `esdb://127.0.0.1:${port}?tls=false`, logger: silent }),
  };
});

describe('events of others in EventStoreDB (a double)', () => {
  const world = useDoubles();

  it('returns the raw texts of events that others wrote, and always an object', async () => {
    const double = await world.start();
    const log = world.open(double, shortTimeouts);
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

  it('separates streams with a prefix from others, under names without it', async () => {
    const double = await world.start();
    const store = world.open(double);
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
});
