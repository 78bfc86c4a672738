import { InvalidArgumentError } from 'commander';
import { closest } from 'fastest-levenshtein';
import type { z } from 'zod';
import { faultOfConversation, faultOfStream } from '../../contracts/event-filter.ts';
import { eventDefinitions } from '../../contracts/events/index.ts';
import { ConversationId, Gid, Mid, Uid } from '../../contracts/ids.ts';
import { positionNamed } from '../../services/audit/named-moment.ts';
import { type EventLog, type Position, startOfLog } from '../../services/log/log.ts';
import { isTimeFault, timeOf } from './times.ts';

/* Parsers of option values for commander: what they throw names what would be right. */

/** A list with commas between, each element read by `parse`. */
export function listOf<Element>(parse: (text: string) => Element): (text: string) => Element[] {
  return (text) =>
    text.split(',').map((element) => {
      const trimmed = element.trim();
      if (trimmed === '') throw new InvalidArgumentError(`an element of "${text}" is empty`);
      return parse(trimmed);
    });
}

/** Up to 12 words are all named; of more, the one that is most like what was given. */
const maxNamed = 12;

/** One of several words. */
export function oneOf<Word extends string>(what: string, words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    const right =
      words.length > maxNamed ? `did you mean ${closest(text, [...words])}?` : `give ${words.join(', ')}`;
    throw new InvalidArgumentError(`there is no ${what} ${text}: ${right}`);
  };
}

/** The name of a type of event. */
export const eventType = oneOf(
  'event type',
  eventDefinitions.map(({ type }) => type),
);

export const uid = id(Uid, 'uid, a number from 1 such as 9');
export const gid = id(Gid, 'gid, a number from 1 such as 123456789');
export const mid = id(Mid, 'mid, a number from 1 such as 42');

export function conversation(text: string): ConversationId {
  const fault = faultOfConversation(text);
  if (fault !== undefined) throw new InvalidArgumentError(fault);
  return ConversationId.parse(text);
}

/** Any text but the empty one. */
export function nonEmpty(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('it is empty');
}

/** Who caused events, as they name them: a uid, `server` for the holder of the server's key, `nobody` for a stranger. */
export function actor(text: string): string {
  if (text === 'server' || text === 'nobody') return text;
  try {
    return String(uid(text));
  } catch {
    throw new InvalidArgumentError(
      `"${text}" is neither a uid, a number from 1 such as 9, nor server or nobody`,
    );
  }
}

/** The name of a stream, or a beginning of names with a `*` behind it. */
export function streams(text: string): string {
  const fault = faultOfStream(text);
  if (fault === undefined) return text;
  throw new InvalidArgumentError(fault);
}

/** A whole number from 1. */
export function count(text: string): number {
  const number = Number(text);
  if (/^\d{1,15}$/.test(text) && number >= 1) return number;
  throw new InvalidArgumentError(`"${text}" is no number of events: give a whole number from 1`);
}

/** A moment, in milliseconds since 1970: see `timeOf`. */
export function time(text: string): number {
  const read = timeOf(text, Date.now());
  if (isTimeFault(read)) throw new InvalidArgumentError(read.fault);
  return read;
}

/** A position, as the log that is open names them. @throws Error that shows one of its positions */
export async function positionIn(log: EventLog, option: string, text: string): Promise<Position> {
  const position = positionNamed(log, text);
  if (position !== undefined) return position;
  const end = await log.end();
  const example = end === startOfLog ? 'the log is empty' : `the last one of this log is ${end}`;
  throw new Error(`${option} "${text}" is no position of this log: replay shows them, and ${example}`);
}

function id<Id>(schema: z.ZodType<Id>, what: string): (text: string) => Id {
  return (text) => {
    const { data } = schema.safeParse(/^\d+$/.test(text) ? Number(text) : undefined);
    if (data !== undefined) return data;
    throw new InvalidArgumentError(`"${text}" is no ${what}`);
  };
}
