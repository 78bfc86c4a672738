import { describe, expect, it } from 'vitest';
import { LogChanged, StrangeLog } from '../../services/log/identity.ts';
import { LogFailure, startOfLog } from '../../services/log/log.ts';
import type { EventStoreDBDouble } from '../support/eventstoredb-double.ts';
import { shortTimeouts, useDoubles } from './eventstoredb-double-harness.ts';
import { events, streamOf } from './specimens.ts';

describe('the log in EventStoreDB, if the server was restored or emptied (a double)', () => {
  const world = useDoubles();

  /** A log with an identity and three events that a subscription has delivered. */
  const followed = async (double: EventStoreDBDouble) => {
    const log = world.open(double, shortTimeouts);
    await log.found({ installation: 'ours', epoch: 'first' });
    const stream = streamOf('kept');
    for (let count = 0; count < 3; count++) await log.append(stream, 'any', events(1));
    const seen: number[] = [];
    const signal = new AbortController();
    world.atEnd(() => signal.abort());
    const ended = (async () => {
      const options = { after: startOfLog, prefixes: ['kept-'], signal: signal.signal };
      for await (const batch of log.subscribe(options)) seen.push(...batch.map(({ revision }) => revision));
    })().catch((error: unknown) => error);
    await expect.poll(() => seen).toEqual([0, 1, 2]);
    return { log, stream, ended };
  };

  it('begins another epoch after the server was restored from an older backup, and forgets what it knew', async () => {
    const double = await world.start();
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

  it('detects an older backup by a subscription alone, even if the server accepts its position', async () => {
    const double = await world.start();
    const { ended } = await followed(double);
    double.kill();
    double.store.restore(2);
    double.waitsBeyondEnd = true;
    await double.start();
    expect(await ended).toBeInstanceOf(LogChanged);
  });

  it('appends nothing to a server that was emptied, and ends subscriptions', async () => {
    const double = await world.start();
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
});
