import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../../../contracts/codes.ts';
import { auditEvents, type eventFilters } from '../../../contracts/http/audit-events.ts';
import { eventsPage } from '../../audit/events/events-page.ts';
import { crossedBounds, type EventFilter } from '../../audit/events/filter.ts';
import type { FindOptions, FoundEvent } from '../../audit/events/find-events.ts';
import { happens, whyNothing } from '../../audit/events/nothing-found.ts';
import { sentenceOf } from '../../audit/events/words.ts';
import { entryOf } from '../../audit/index/entry.ts';
import { AuditSearch } from '../../audit/index/search.ts';
import {
  isPositionForm,
  momentAtPosition,
  NoMoment,
  positionNamed,
  timeNamed,
} from '../../audit/named-moment.ts';
import { decodeUncached, UnreadableEvent } from '../../log/codec.ts';
import type { EventLog, Position, RecordedEvent } from '../../log/log.ts';
import type { Application } from '../application.ts';
import { serve } from '../route.ts';
import { askThePast } from './past.ts';

/** The events of the log, by its index (docs/operations.md, Looking at the log). */
export function auditEventRoutes(server: FastifyInstance, application: Application): void {
  const { log, pool } = application;
  const search = new AuditSearch(pool);

  /** @throws Refusal illegal for what names no moment */
  const timeOf = async (name: string, moment: string | undefined) => {
    if (moment === undefined) return undefined;
    try {
      // Unlike a state, events of a time that is still to come may be asked for: until then there are those of now.
      return isPositionForm(moment) ? (await momentAtPosition(log, moment)).time : timeNamed(moment);
    } catch (error) {
      if (!(error instanceof NoMoment)) throw error;
      throw Refusal.illegal(name, `: ${error.message}`);
    }
  };

  serve(server, application, auditEvents, ({ parameters }) =>
    askThePast(async (signal) => {
      const coverage = await search.coverage(log);
      if (coverage === undefined) throw new Refusal('noRecord', '日志没有索引');
      const { up_to, after, since, until, from, reverse, limit, ...rest } = parameters;
      const filter: EventFilter = {
        ...whatOf(rest),
        since: await timeOf('since', since),
        until: await timeOf('until', until),
        after: positionIn(log, 'after', after),
        upTo: positionIn(log, 'up_to', up_to),
      };
      const crossed = crossedBounds(filter, boundNames);
      if (crossed) throw Refusal.illegal(crossed.name, `: ${crossed.words}`);
      const { events, next } = await eventsPage({ log, search, filter, from, reverse, limit });
      const isNothing = events.length === 0 && next === null;
      const find = { log, index: { search, coverage }, filter, signal };
      const nothing = isNothing ? await nothingIn(find, { from, reverse }) : null;
      return { data: { events: events.map(shown), next, nothing, indexed: coverage.count } };
    }),
  );
}

const boundNames = { since: 'since', until: 'until', after: 'after', upTo: 'up_to' };

/** Why a page has no event, and no page follows. */
async function nothingIn(
  find: FindOptions,
  { from, reverse }: { readonly from: number | undefined; readonly reverse: boolean },
): Promise<string> {
  if (!(await happens(find))) return whyNothing(find);
  if (from === undefined) return 'the index does not have these events yet: ask again';
  return `no event that was asked for has the number ${from} or a ${reverse ? 'lower' : 'higher'} one`;
}

/** Which events are asked for, whenever they happened. */
export function whatOf(given: z.infer<typeof eventFilters>): EventFilter {
  const { stream, category, type, caused_by, ...same } = given;
  return { ...same, streams: stream, categories: category, types: type, causedBy: caused_by };
}

/** @throws Refusal illegal for a position of another kind of log */
function positionIn(log: EventLog, name: string, text: string | undefined): Position | undefined {
  if (text === undefined) return undefined;
  const position = positionNamed(log, text);
  if (position === undefined) throw Refusal.illegal(name, `: "${text}" is no position of this log`);
  return position;
}

function shown({ number, record }: Required<FoundEvent>) {
  return { number, ...shownRecord(record) };
}

/** An event as calls show it. */
export function shownRecord(record: RecordedEvent) {
  const { position, recorded, stream, revision, id, type, data, metadata } = record;
  const event = decodeUncached(record);
  const { actor, actedFor, correlation, causation, people, conversation, mid } = entryOf(record, event);
  return {
    ...{ position, recorded, stream, revision, id, type },
    words:
      event instanceof UnreadableEvent
        ? null
        : sentenceOf(event, { person: named('person'), group: named('group') }),
    ...{ actor, acted_for: actedFor, correlation, causation, people, conversation, mid, data, metadata },
  };
}

const named = (what: string) => (id: number) => `${what} ${id}`;
