import { expect, test } from 'vitest';
import { prepare } from '../../services/log/append-request.ts';
import { anyRevision, nextBatch, type PendingAppend } from '../../services/log/postgres/batch.ts';
import { event, streamOf } from './specimens.ts';

function waiting(id: number): PendingAppend {
  const stream = streamOf('many', id);
  return {
    stream,
    expected: anyRevision,
    events: prepare(stream, [event()]),
    bytes: 2,
    deadline: 0,
    resolve: () => undefined,
    reject: () => undefined,
    doubtful: false,
    refused: undefined,
    alone: false,
  };
}

test('a batch is chosen from 300,000 waiting appends, and the others keep their order', () => {
  const all = Array.from({ length: 300_000 }, (_, id) => waiting(id));
  const { batch, rest } = nextBatch(all);
  expect(batch).toHaveLength(1_000);
  expect(batch[999]).toBe(all[999]);
  expect(rest).toHaveLength(299_000);
  expect(rest[0]).toBe(all[1_000]);
  expect(rest.at(-1)).toBe(all.at(-1));
});

test('an append that depends on the batch stays before those that arrived later', () => {
  const first = waiting(1);
  const repeat = { ...waiting(1), events: first.events };
  const all = [first, repeat, ...Array.from({ length: 1_500 }, (_, id) => waiting(id + 2))];
  const { batch, rest } = nextBatch(all);
  expect(batch).not.toContain(repeat);
  expect(rest[0]).toBe(repeat);
  expect(batch.length + rest.length).toBe(all.length);
});
