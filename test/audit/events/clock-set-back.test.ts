import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { categories } from '../../../contracts/events/index.ts';
import { eventsPage } from '../../../services/audit/events/events-page.ts';
import { type EventFilter, matches } from '../../../services/audit/events/filter.ts';
import { findEvents } from '../../../services/audit/events/find-events.ts';
import { openEventStoreDB } from '../../support/auditing.ts';
import { registered } from '../../support/events.ts';

const start = Date.UTC(2026, 10, 28);
/** The clock of the log at an event: one in four is an hour slow and one an hour fast; one is in the year 2100. */
function clockAt(number: number): number {
  if (number === 13) return Date.UTC(2100, 0, 1);
  const offHours = number % 4 === 2 ? -1 : number % 4 === 3 ? 1 : 0;
  return start + number * 60_000 + offHours * 3_600_000;
}

test('events are found by the time at which they were recorded, although the clock of the log went back', async () => {
  const world = await openEventStoreDB();
  onTestFinished(() => world.close());
  for (let number = 1; number <= 40; number++) {
    await world.append(registered(number, `人${number}`), { actor: String(number % 2) });
  }
  world.store.hold(world.store.records.map((record, number) => ({ ...record, created: clockAt(number) })));
  const auditor = await world.startAuditor();
  await world.indexed(auditor);
  await auditor.stop();
  const coverage = await world.search.coverage(world.log);
  if (coverage === undefined) throw new Error('there is no index');
  // These the index does not have yet.
  for (let number = 41; number <= 44; number++) await world.append(registered(number, `人${number}`));
  const { log, search } = world;
  const all = await Array.fromAsync(log.readAll({ prefixes: categories }));
  const time = fc.option(
    fc.integer({ min: -70, max: 110 }).map((minute) => start + minute * 60_000),
    { nil: undefined, freq: 3 },
  );
  const asked: fc.Arbitrary<EventFilter> = fc.record(
    {
      since: time,
      until: time,
      by: fc.constant('1'),
      streams: fc.constant(['user-3', 'user-13', 'user-14']),
    },
    { requiredKeys: ['since', 'until'] },
  );
  await fc.assert(
    fc.asyncProperty(asked, fc.boolean(), fc.boolean(), async (filter, reverse, indexed) => {
      const index = indexed ? { search, coverage } : undefined;
      const found = await Array.fromAsync(findEvents({ log, index, filter, reverse }));
      const expected = all.filter((record) => matches(filter, record));
      if (reverse) expected.reverse();
      expect(found.map(({ record }) => record.id)).toEqual(expected.map(({ id }) => id));
      const page = await eventsPage({ log, search, filter, reverse, limit: 100 });
      const inIndex = expected.filter(({ position }) => position <= coverage.checkpoint);
      expect(page.events.map(({ record }) => record.id)).toEqual(inIndex.map(({ id }) => id));
    }),
    { numRuns: 60 },
  );
});
