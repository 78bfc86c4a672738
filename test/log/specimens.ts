import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import {
  type EventId,
  type EventLog,
  LogFailure,
  type NewEvent,
  type RecordedEvent,
  type StreamName,
} from '../../services/log/log.ts';

/** A category that nothing else uses, since a store may contain the events of several tests. */
export const freshCategory = (): string => `test${randomUUID().replaceAll('-', '')}`;

export const streamOf = (category: string, id: string | number = 1): StreamName =>
  `${category}-${id}` as StreamName;

export const freshId = (): EventId => uuidv7() as EventId;

export function event(data: NewEvent['data'] = {}, id: EventId = freshId()): NewEvent {
  return { id, type: 'SomethingHappened', data, metadata: { version: 1 } };
}

/** A list of at least one event. */
export function events(count: number): [NewEvent, ...NewEvent[]] {
  return [
    event({ index: 0 }),
    ...Array.from({ length: count - 1 }, (_, index) => event({ index: index + 1 })),
  ];
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The first `count` events of a subscription, or some more. */
export async function take(
  log: EventLog,
  count: number,
  options: Omit<Parameters<EventLog['subscribe']>[0], 'signal'>,
): Promise<RecordedEvent[]> {
  const done = new AbortController();
  const received: RecordedEvent[] = [];
  for await (const batch of log.subscribe({ ...options, signal: done.signal })) {
    received.push(...batch);
    if (received.length >= count) done.abort();
  }
  return received;
}

/** Repeats an append until there is a result, as a caller should. */
export async function appendPersistently(
  log: EventLog,
  ...append: Parameters<EventLog['append']>
): ReturnType<EventLog['append']> {
  for (;;) {
    try {
      return await log.append(...append);
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
    }
  }
}

export const idsOf = (list: readonly { readonly id: EventId }[]): EventId[] => list.map(({ id }) => id);

/** The records whose position does not grow, or before whose revision the stream has a gap. */
export function orderFaults(records: readonly RecordedEvent[]): string[] {
  const faults: string[] = [];
  const revisions = new Map<string, number>();
  let before = '';
  for (const { position, stream, revision } of records) {
    if (position <= before) faults.push(`${position} after ${before}`);
    before = position;
    const expected = (revisions.get(stream) ?? -1) + 1;
    if (revision !== expected) faults.push(`${stream}@${revision} instead of ${expected}`);
    revisions.set(stream, revision);
  }
  return faults;
}

/** Texts that no program of ours writes, and the objects as which they are given. */
export const foreignTexts: readonly { readonly text: string; readonly parsed: unknown }[] = [
  { text: '{"a": 1}', parsed: { a: 1 } },
  { text: '{"a":12345678901234567890}', parsed: { a: 1.2345678901234567e19 } },
  { text: '{"a":-0,"b":1.0}', parsed: { a: -0, b: 1 } },
  { text: '{"a":1,"a":2}', parsed: { a: 2 } },
  { text: '{"a":"\\u732b"}', parsed: { a: '猫' } },
  { text: '{"a":1', parsed: { value: '{"a":1' } },
  { text: '[1]', parsed: { value: [1] } },
  { text: 'null', parsed: { value: null } },
];
