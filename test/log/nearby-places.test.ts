import { describe, expect, it } from 'vitest';
import { nearbyPlaces } from '../../services/log/eventstoredb/nearby-places.ts';
import { streamOf } from './specimens.ts';

describe('places of EventStoreDB that one call reads', () => {
  const [one, two] = [streamOf('one'), streamOf('two')];
  const at = (stream: typeof one, ...revisions: number[]) =>
    revisions.map((revision) => ({ stream, revision }));

  it('are those of a stream that are close together, in whatever order they are asked', () => {
    expect(nearbyPlaces([...at(one, 9, 3), ...at(two, 4), ...at(one, 5, 1_000, 3)])).toEqual([
      { stream: one, first: 3, last: 9 },
      { stream: one, first: 1_000, last: 1_000 },
      { stream: two, first: 4, last: 4 },
    ]);
  });

  it('are not those with many events between them', () => {
    const alone = (revision: number) => ({ stream: one, first: revision, last: revision });
    expect(nearbyPlaces(at(one, 0, 100, 200))).toEqual([0, 100, 200].map(alone));
  });

  it('are none of none', () => {
    expect(nearbyPlaces([])).toEqual([]);
  });
});
