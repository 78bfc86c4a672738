import type { EventPlace, StreamName } from '../log.ts';

/** Revisions of a stream that one call reads, with what lies between them. */
export interface NearbyPlaces {
  readonly stream: StreamName;
  readonly first: number;
  readonly last: number;
}

/**
 * How far apart two events of a stream may be, in revisions, to be read by one call. A call takes both programs about as
 * long as 30 events more of another call; short ones leave work for the calls that are made at once.
 */
const maxDistance = 16;

/** Groups places by streams, and those of a stream that are close together. */
export function nearbyPlaces(places: readonly EventPlace[]): NearbyPlaces[] {
  const revisions = new Map<StreamName, number[]>();
  for (const { stream, revision } of places) {
    const some = revisions.get(stream);
    if (some) some.push(revision);
    else revisions.set(stream, [revision]);
  }
  return [...revisions].flatMap(([stream, some]) => nearby(stream, some));
}

function nearby(stream: StreamName, revisions: readonly number[]): NearbyPlaces[] {
  const groups: { stream: StreamName; first: number; last: number }[] = [];
  for (const revision of revisions.toSorted((one, other) => one - other)) {
    const present = groups.at(-1);
    if (present && revision - present.last <= maxDistance) present.last = revision;
    else groups.push({ stream, first: revision, last: revision });
  }
  return groups;
}
