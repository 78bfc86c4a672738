import type { SkipEvent } from '../contracts/events/skip.ts';
import type { ProjectionsOf } from './projection.ts';

/** A decision to pass an event over shows nothing; the projector itself heeds it. */
export const skipProjections: ProjectionsOf<SkipEvent> = {
  EventSkipped: { reads: () => [], apply() {} },
};
