import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotSkippable, skipEvent } from '../../services/commands/skip-event.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { encode } from '../../services/log/codec.ts';
import { openEventStoreDBLog } from '../../services/log/eventstoredb/eventstoredb-log.ts';
import type { EventLog, Position, StreamName } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { Skips, skipStream } from '../../services/log/skips.ts';
import { collect, event } from '../log/specimens.ts';
import { createDatabase } from '../support/database.ts';
import { registered } from '../support/events.ts';
import { EventStoreDBDouble } from '../support/eventstoredb-double.ts';
import { newEventId } from '../support/projecting.ts';

const metadata = { time: 0, actor: 'server', $correlationId: 'test', $causationId: 'test' };

describe.each([
  [
    'Postgres',
    async () => {
      const database = await createDatabase();
      const log = await openPostgresLog({ connectionString: database.url });
      return { log, remove: () => database.drop() };
    },
  ],
  [
    'EventStoreDB (a double)',
    async () => {
      const double = new EventStoreDBDouble();
      await double.start();
      const log = openEventStoreDBLog({ url: double.url, logger: pino({ level: 'silent' }) });
      return { log, remove: async () => double.kill() };
    },
  ],
])('passing an event over in %s', (_, make) => {
  let log: EventLog;
  let remove: () => Promise<void>;
  let lastUid = 0;

  beforeAll(async () => {
    ({ log, remove } = await make());
  });

  afterAll(async () => {
    await log.close();
    await remove();
  });

  async function registerSomeone(): Promise<{ stream: StreamName; position: Position }> {
    const who = ++lastUid;
    const stream = streamName(`user-${who}`);
    const result = await log.append(stream, 'none', [encode(newEventId(), registered(who, '甲'), metadata)]);
    if (result.outcome !== 'appended') throw new Error(result.outcome);
    return { stream, position: result.position };
  }

  async function skipped(): Promise<Skips> {
    const skips = new Skips(log);
    await skips.refresh();
    return skips;
  }

  it('names the event, in a stream of its own', async () => {
    const { stream, position } = await registerSomeone();
    const before = await registerSomeone();
    const { event: named, why, before: earlier } = await skipEvent(log, position, ' 测试 ');
    expect(named).toMatchObject({ stream, revision: 0, type: 'UserRegistered', position });
    expect([why, earlier]).toEqual(['测试', false]);
    const skips = await skipped();
    expect(skips.reason(named)).toBe('测试');
    const other = await log.at(before.position);
    expect(other && skips.has(other)).toBe(false);
    const [decision] = await collect(log.readStream(skipStream, { direction: 'backwards', limit: 1 }));
    expect(decision).toMatchObject({
      type: 'EventSkipped',
      data: { stream, eventId: named.id, revision: 0, type: 'UserRegistered', why: '测试' },
    });
  });

  it('is decided once: a repeated call returns the first decision', async () => {
    const { position } = await registerSomeone();
    await skipEvent(log, position, 'first');
    const decisions = (await collect(log.readStream(skipStream))).length;
    expect(await skipEvent(log, position, 'second')).toMatchObject({ why: 'first', before: true });
    expect(await collect(log.readStream(skipStream))).toHaveLength(decisions);
  });

  it('is refused for a position without an event, a foreign event, a decision, and without a reason', async () => {
    const { position } = await registerSomeone();
    const foreign = await log.append(streamName('elsewhere-1'), 'any', [event()]);
    const decisions = (await collect(log.readStream(skipStream))).length;
    const [decision] = await collect(log.readStream(skipStream, { limit: 1 }));
    const positionOf = foreign.outcome === 'appended' ? foreign.position : '';
    for (const [at, why, said] of [
      [position.replace(/^./, '8'), 'x', 'there is no event at'],
      ['', 'x', 'there is no event at'],
      ['12', 'x', 'is not a position of this log'],
      ['user-1', 'x', 'is not a position of this log'],
      [positionOf, 'x', 'is not an event of this system'],
      [decision?.position ?? '', 'x', 'cannot be skipped'],
      [position, '  ', 'must have 1 to 500 characters'],
      [position, 'x'.repeat(501), 'must have 1 to 500 characters'],
    ] as const) {
      const asked = skipEvent(log, at, why);
      await expect(asked).rejects.toThrow(NotSkippable);
      await expect(asked).rejects.toThrow(said);
    }
    expect(await collect(log.readStream(skipStream))).toHaveLength(decisions);
  });

  it('is received by a process that has read earlier decisions', async () => {
    const skips = await skipped();
    const { position } = await registerSomeone();
    const record = await log.at(position);
    if (!record) throw new Error('nothing there');
    expect(skips.has(record)).toBe(false);
    await skipEvent(log, position, 'later');
    await skips.refresh();
    expect(skips.has(record)).toBe(true);
  });
});
