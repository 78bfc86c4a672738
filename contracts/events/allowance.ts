import { z } from 'zod';
import { Uid } from '../ids.ts';
import { type EventOf, event } from './event.ts';

/** Stream `allowance-{uid}`: how often a person did what may be done so often within a time. */
export const allowanceEvents = [
  /** `allowance` names what was done: which there are changes with the program. */
  event('AllowanceUsed', z.object({ uid: Uid, allowance: z.string(), count: z.int().positive() })),
] as const;

export type AllowanceEvent = EventOf<(typeof allowanceEvents)[number]>;
