import { describe, expect, it } from 'vitest';
import type { ExpectedRevision } from '../../services/log/log.ts';
import type { Subject } from './contract.ts';
import { collect, event, events, freshCategory, freshId, idsOf, streamOf } from './specimens.ts';

export function describeRepeating(subject: Subject): void {
  describe('repeating an append', () => {
    it.each<[string, ExpectedRevision, ExpectedRevision]>([
      ['any', 'any', 'any'],
      ['none', 'none', 'none'],
      ['the same revision', 1, 1],
      ['the revision it now has', 1, 3],
    ])('stores nothing and returns the first event, expecting %s', async (_, first, again) => {
      const { log, other } = subject;
      const stream = streamOf(freshCategory());
      const before = first === 1 ? events(2) : undefined;
      if (before) await log.append(stream, 'none', before);
      const given = events(2);
      await log.append(stream, first, given);
      const stored = await collect(log.readStream(stream));
      const existing = stored.find(({ id }) => id === given[0].id);
      const repeats = [log.append(stream, again, given), other.append(stream, again, given)];
      for (const answer of await Promise.all(repeats)) {
        expect(answer).toEqual({
          outcome: 'already appended',
          revision: existing?.revision,
          position: existing?.position,
        });
      }
      expect(await collect(log.readStream(stream))).toEqual(stored);
    });

    it('compares only the first id, not those after it', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      const [first, second] = [event(), event()];
      await log.append(stream, 'none', [first, second]);
      const again = await log.append(stream, 'any', [first, event(), event()]);
      expect(again).toMatchObject({ outcome: 'already appended', revision: 0 });
      expect(await collect(log.readStream(stream))).toHaveLength(2);
    });

    it('has a conflict if a later id is already stored', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      const existing = event();
      await log.append(stream, 'none', [event(), existing]);
      for (const expected of ['any', 1] as const) {
        const mixed = await log.append(stream, expected, [event(), existing]);
        expect(mixed).toEqual({ outcome: 'conflict', actual: 1 });
      }
      expect(await collect(log.readStream(stream))).toHaveLength(2);
    });

    it('stores an append once that is repeated forty times at once', async () => {
      const { log, other } = subject;
      const stream = streamOf(freshCategory());
      const given = events(2);
      const all = Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? log : other).append(stream, 'any', given),
      );
      const outcomes = (await Promise.all(all)).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(1);
      expect(new Set(outcomes)).toEqual(new Set(['appended', 'already appended']));
      expect(idsOf(await collect(log.readStream(stream)))).toEqual(idsOf(given));
    });

    it('recognises an id after thousands of others, in the stream and elsewhere', async ({ skip }) => {
      const { log } = subject;
      const category = freshCategory();
      const stream = streamOf(category);
      const given = events(1);
      await log.append(stream, 'none', given);
      for (let round = 0; round < 5; round++) {
        await log.append(stream, 'any', events(500));
        await log.append(streamOf(category, 'elsewhere'), 'any', events(500));
      }
      expect(await log.append(stream, 'none', given)).toMatchObject({
        outcome: 'already appended',
        revision: 0,
      });
      if (log.remembersIds !== 'forever') skip();
      expect(await log.append(stream, 'any', given)).toMatchObject({
        outcome: 'already appended',
        revision: 0,
      });
    });

    it('accepts the same id in another stream', async () => {
      const { log } = subject;
      const category = freshCategory();
      const shared = event({}, freshId());
      const answers = await Promise.all(
        ['a', 'b'].map((name) => log.append(streamOf(category, name), 'none', [shared])),
      );
      expect(answers).toMatchObject([{ outcome: 'appended' }, { outcome: 'appended' }]);
    });
  });
}
