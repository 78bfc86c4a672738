import type { SkipEvent } from '../contracts/events/skip.ts';
import type { ProjectionsOf } from './projection.ts';

/** A decision to pass an event over changes no read model; the projector itself acts on it. */
export const skipProjections: ProjectionsOf<SkipEvent> = {
  EventSkipped: { reads: () => [], apply() {} },
};
