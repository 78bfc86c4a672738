import { localTime } from '../local-time.ts';
import { type EventFilter, isUnrestricted } from './filter.ts';
import { type FindOptions, findEvents } from './find-events.ts';

/** Who is no person. */
const actors = new Map([
  ['server', "the server's key"],
  ['nobody', 'a stranger'],
]);

/** What is said of each thing that can be asked for, if no event has it. */
const absences: { readonly [Key in keyof EventFilter]-?: (filter: EventFilter) => string } = {
  streams: ({ streams }) => `there is no stream ${streams?.join(' or ')}`,
  categories: ({ categories }) => `no stream of the category ${categories?.join(' or ')} has events`,
  types: ({ types }) => `${types?.join(' or ')} never happened`,
  by: ({ by = '' }) => `${actors.get(by) ?? `person ${by}`} caused no event`,
  about: ({ about }) => `no event is about person ${about}`,
  conversation: ({ conversation }) => `nothing happened in the conversation ${conversation}`,
  mid: ({ mid }) => `no event is about message ${mid}`,
  correlation: ({ correlation }) => `no event came of a request ${correlation}`,
  causedBy: ({ causedBy }) => `nothing was caused by ${causedBy}`,
  since: ({ since = 0 }) => `nothing was recorded since ${localTime(since)}`,
  until: ({ until = 0 }) => `nothing was recorded before ${localTime(until)}`,
  after: ({ after }) => `nothing lies after ${after}`,
  upTo: ({ upTo }) => `nothing lies up to ${upTo}`,
};

/**
 * Why nothing was found, in one sentence: the first thing asked for that no event has at all, or that no event has
 * all of them.
 */
export async function whyNothing({ filter, ...options }: FindOptions): Promise<string> {
  if (!(await happens({ ...options, filter: {} }))) return 'the log is empty';
  const keys = (Object.keys(absences) as (keyof EventFilter)[]).filter((key) => filter[key] !== undefined);
  for (const key of keys) {
    // Without an index each question may read the whole log; those of bounds and streams are quick all the same.
    const alone = { [key]: filter[key] };
    const quick = options.index !== undefined || key === 'streams' || isUnrestricted(alone);
    if (quick && !(await happens({ ...options, filter: alone }))) return absences[key](filter);
  }
  const [only, ...others] = keys;
  if (only !== undefined && others.length === 0) return absences[only](filter);
  return 'no event matches all that was asked for: leave something out to see more';
}

/** Whether there is an event of those that are asked for. @throws LogFailure, what the database throws, the signal's reason */
export async function happens(options: FindOptions): Promise<boolean> {
  for await (const _ of findEvents({ ...options, reverse: false, limit: 1 })) return true;
  return false;
}
