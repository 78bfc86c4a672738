import { expect, test } from 'vitest';
import { SeenIds } from '../../../services/audit/index/seen-ids.ts';
import { streamName } from '../../../services/domain/aggregate.ts';
import { newEventId } from '../../support/projecting.ts';

test('of 20,000 events each id is known with its first revision, in its stream alone', () => {
  const seen = new SeenIds();
  const events = Array.from({ length: 20_000 }, (_, number) => ({
    ...{ id: newEventId(), stream: streamName(`user-${number % 7}`), revision: number },
  }));
  for (const event of events) expect(seen.add(event)).toBeUndefined();
  expect(seen.size).toBe(20_000);
  expect(seen.known(events)).toEqual(events);
  const later = events.map((event) => ({ ...event, revision: event.revision + 1 }));
  expect(later.map((event) => seen.add(event))).toEqual(events.map(({ revision }) => revision));
  expect(seen.known(events.map((event) => ({ ...event, stream: streamName('user-8') })))).toEqual([]);
  expect(seen.known(events.map((event) => ({ ...event, id: newEventId() })))).toEqual([]);
  expect(seen.size).toBe(20_000);
});
