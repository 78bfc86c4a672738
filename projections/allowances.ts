import type { AllowanceEvent } from '../contracts/events/allowance.ts';
import type { ProjectionsOf } from './projection.ts';

/** Allowances are for decisions only: no query shows them. */
export const allowanceProjections: ProjectionsOf<AllowanceEvent> = {
  AllowanceUsed: { reads: () => [], apply: () => undefined },
};
