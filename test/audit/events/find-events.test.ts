import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { categories } from '../../../contracts/events/index.ts';
import { type ConversationId, Mid, Uid } from '../../../contracts/ids.ts';
import { type EventFilter, matches } from '../../../services/audit/events/filter.ts';
import { type FindOptions, findEvents } from '../../../services/audit/events/find-events.ts';
import type { RecordedEvent } from '../../../services/log/log.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { befriended, between, created, registered, sent, uid } from '../../support/events.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

const people = 6;
const events = 240;

/** A history in which people, groups, requests and types meet in all combinations. */
async function fill(world: AuditedLog): Promise<void> {
  for (let number = 1; number <= people; number++) {
    await world.append(registered(number, `人${number}`), { correlation: `r${number}` });
  }
  await world.append(created(50, '群', 1, 2, 3), { actor: '1' });
  for (let number = 1; number <= events; number++) {
    const [from, to] = [1 + (number % people), 1 + ((number * 7 + 3) % people)];
    const caused = {
      actor: number % 3 === 0 ? 'server' : String(from),
      correlation: `r${number % 17}`,
      ...(number % 6 === 0 ? { for: from } : {}),
      ...(number % 5 === 0 ? { causation: `e${number % 4}` } : {}),
    };
    if (from === to)
      await world.append({ type: 'ProfileChanged', data: { uid: uid(from), sign: 'x' } }, caused);
    else if (number % 11 === 0) await world.append(befriended(from, to), caused);
    else await world.append(sent(between(from, to), from, number, `text ${number}`), caused);
  }
  await world.appendRaw('user-3', 'UserTeleported', {}, { actor: '3' });
}

const known = <Value>(...values: Value[]) => fc.constantFrom(...values);
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });

describe.each(auditedLogs)('events of a log in %s', (_, open) => {
  let world: AuditedLog;
  let all: RecordedEvent[];
  let index: NonNullable<FindOptions['index']>;
  beforeAll(async () => {
    world = await open();
    await fill(world);
    const auditor = await world.startAuditor();
    await world.indexed(auditor);
    await auditor.stop();
    const coverage = await world.search.coverage(world.log);
    if (coverage === undefined) throw new Error('there is no index');
    index = { search: world.search, coverage };
    // These the index does not have yet.
    await world.append(registered(7, '后'), { correlation: 'late' });
    await world.append(sent(between(1, 7), 7, 9_000, 'late'), { actor: '7', correlation: 'late' });
    all = await Array.fromAsync(world.log.readAll({ prefixes: categories }));
  });
  afterAll(() => world.close());

  const found = async (filter: EventFilter, more: Partial<FindOptions> = {}) => {
    const records = [];
    for await (const { record } of findEvents({ log: world.log, index, filter, ...more })) {
      records.push(record.position);
    }
    return records;
  };

  const filters: fc.Arbitrary<EventFilter> = fc.record({
    streams: optional(
      fc.subarray(['user-1', 'user-3', 'conversation-f1-2', 'conv*', 'user-*', 'group-50', 'gone-1'], {
        minLength: 1,
      }),
    ),
    categories: optional(fc.subarray(['user', 'conversation', 'group'], { minLength: 1 })),
    types: optional(
      fc.subarray(['MessageSent', 'ProfileChanged', 'Befriended', 'GroupCreated'], { minLength: 1 }),
    ),
    by: optional(known('server', '1', '3', '7')),
    about: optional(known(...[1, 2, 7, 99].map((one) => Uid.parse(one)))),
    conversation: optional(known(between(1, 2), between(1, 7), 'g50' as ConversationId)),
    mid: optional(known(Mid.parse(10), Mid.parse(9_000))),
    correlation: optional(known('r1', 'r5', 'late')),
    causedBy: optional(known('e0', 'e1', 'r1', 'request')),
  });

  it('are found by any combination of what is asked for, the same with and without the index', async () => {
    await fc.assert(
      fc.asyncProperty(
        filters,
        optional(fc.nat(events)),
        optional(fc.nat(events)),
        optional(fc.integer({ min: 1, max: 9 })),
        fc.boolean(),
        async (filter, from, to, limit, reverse) => {
          const after = from === undefined ? undefined : all[from]?.position;
          const upTo = to === undefined ? undefined : all[to]?.position;
          const asked = { ...filter, after, upTo };
          const wanted = all.filter((record) => matches(asked, record)).map(({ position }) => position);
          if (reverse) wanted.reverse();
          const options = { reverse, ...(limit === undefined ? {} : { limit }) };
          const expected = wanted.slice(0, limit);
          expect(await found(asked, options)).toEqual(expected);
          expect(await found(asked, { ...options, index: undefined })).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are found by the time at which they were recorded', async () => {
    const times = all.map(({ recorded }) => recorded);
    const since = times[60];
    const until = times[180];
    const wanted = all.filter(({ recorded }) => recorded >= (since ?? 0) && recorded < (until ?? 0));
    expect(await found({ since, until })).toEqual(wanted.map(({ position }) => position));
    expect(await found({ since, until, by: '1' })).toEqual(
      wanted.filter((record) => matches({ by: '1' }, record)).map(({ position }) => position),
    );
  });

  it('are found where their stream does not give them any more', async () => {
    const hiding = wrapLog(world.log, {
      async *readEvents(places) {
        for await (const record of world.log.readEvents(places)) if (record.revision % 2 === 1) yield record;
      },
    });
    for (const filter of [{ correlation: 'r5' }, { correlation: 'r9' }]) {
      const wanted = all.filter((record) => matches(filter, record)).map(({ position }) => position);
      expect(await found(filter, { log: hiding })).toEqual(wanted);
    }
  });

  it('carry their numbers if they come from the index', async () => {
    const numbers = [];
    for await (const { number, record } of findEvents({ log: world.log, index, filter: { by: '3' } })) {
      numbers.push([number, all.findIndex(({ position }) => position === record.position)]);
    }
    expect(numbers.length).toBeGreaterThan(10);
    expect(numbers.every(([number, place]) => number === place)).toBe(true);
  });
});
