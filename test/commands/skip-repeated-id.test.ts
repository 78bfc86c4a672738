import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SkippableEvents } from '../../projections/runner/skippable-events.ts';
import { allEvents } from '../../services/audit/merged-streams.ts';
import { presentMoment } from '../../services/audit/moment.ts';
import { AggregateStore } from '../../services/commands/aggregate-store.ts';
import { skipEvent } from '../../services/commands/skip-event.ts';
import { userStream } from '../../services/domain/user.ts';
import { openEventStoreDBLog } from '../../services/log/eventstoredb/eventstoredb-log.ts';
import type { EventLog } from '../../services/log/log.ts';
import { Skips, skipStream } from '../../services/log/skips.ts';
import { collect } from '../log/specimens.ts';
import { registered, uid } from '../support/events.ts';
import { EventStoreDBDouble } from '../support/eventstoredb-double.ts';
import { encoded, named } from './aggregate-store-harness.ts';

/* A stream of EventStoreDB whose third event has the id of its first, as one that was appended by hand may. */

const logger = pino({ level: 'silent' });
const stream = userStream(uid(5)).name;
let double: EventStoreDBDouble;
let log: EventLog;

beforeEach(async () => {
  double = new EventStoreDBDouble();
  await double.start();
  log = openEventStoreDBLog({ url: double.url, logger });
  for (const event of [registered(5, '甲'), named(5, '乙'), named(5, '丙')])
    await log.append(stream, 'any', [encoded(event)]);
  const [first, second, third] = double.store.records;
  if (!first || !second || !third) throw new Error('nothing stored');
  double.store.hold([first, second, { ...third, id: first.id }]);
});

afterEach(async () => {
  await log.close();
  double.kill();
});

async function skipAt(revision: number): Promise<{ before: boolean; why: string }> {
  const [event] = await collect(log.readStream(stream, { from: revision, limit: 1 }));
  return skipEvent(log, event?.position ?? '', `number ${revision}`);
}

async function applied(): Promise<number[]> {
  const events = new SkippableEvents(log, logger);
  await events.refresh();
  const { events: decoded } = events.decode(await collect(log.readStream(stream)));
  return decoded.map(({ revision }) => revision);
}

test('skipping the later event of an id leaves the first one, in every reader', async () => {
  expect(await skipAt(2)).toMatchObject({ before: false });
  expect(await applied()).toEqual([0, 1]);
  const asked = await collect(allEvents(log, [stream], presentMoment(Date.now())));
  expect(asked.map(({ revision }) => revision)).toEqual([0, 1]);
  const store = new AggregateStore(log, () => undefined, {});
  await store.start();
  const { state, revision } = await store.load(userStream(uid(5)));
  await store.stop();
  expect([state?.nickname, revision]).toEqual(['乙', 2]);
});

test('skipping the first event of an id passes over the later ones, which never counted', async () => {
  await skipAt(0);
  expect(await applied()).toEqual([1]);
});

test('each of them can be skipped, with a reason of its own', async () => {
  await skipAt(2);
  expect(await skipAt(0)).toMatchObject({ before: false, why: 'number 0' });
  expect(await skipAt(2)).toMatchObject({ before: true, why: 'number 2' });
  const skips = new Skips(log);
  await skips.refresh();
  const records = await collect(log.readStream(stream));
  expect(records.map((record) => skips.reason(record))).toEqual(['number 0', undefined, 'number 2']);
  expect(skips.countOf(stream)).toBe(2);
  expect(await collect(log.readStream(skipStream))).toHaveLength(2);
});
