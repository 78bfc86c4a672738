import { describe, expect, it } from 'vitest';
import { type EventLog, LogFailure, type RecordedEvent, startOfLog } from '../../services/log/log.ts';
import type { Subject } from './contract.ts';
import { collect, events, freshCategory, freshId, idsOf, orderFaults, streamOf, take } from './specimens.ts';

export function describeSubscribing(subject: Subject, open: () => Promise<EventLog>): void {
  describe('subscribing', () => {
    it('delivers history and then new events, like reading', async () => {
      const { log, other } = subject;
      const category = freshCategory();
      const prefixes = [`${category}-`];
      await log.append(streamOf(category), 'none', events(3));
      const done = new AbortController();
      const seen: RecordedEvent[] = [];
      const following = (async () => {
        for await (const batch of log.subscribe({ after: startOfLog, prefixes, signal: done.signal })) {
          seen.push(...batch);
        }
      })();
      await expect.poll(() => seen.length).toBe(3);
      for (let round = 0; round < 20; round++) {
        await (round % 2 === 0 ? log : other).append(streamOf(category, round % 3), 'any', events(2));
        await log.append(streamOf(freshCategory()), 'any', events(1));
      }
      await expect.poll(() => seen.length).toBe(43);
      done.abort();
      await following;
      expect(seen).toEqual(await collect(log.readAll({ prefixes })));
      expect(orderFaults(seen)).toEqual([]);
    });

    it('begins strictly after any position, also in the middle of an append or a batch', async () => {
      const { log } = subject;
      const category = freshCategory();
      const prefixes = [`${category}-`];
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => log.append(streamOf(category, index), 'none', events(3))),
      );
      const all = await collect(log.readAll({ prefixes }));
      await Promise.all(
        all.slice(0, -1).map(async ({ position }, index) => {
          const rest = await take(log, all.length - index - 1, { after: position, prefixes });
          expect(rest).toEqual(all.slice(index + 1));
        }),
      );
    });

    it('delivers everything to every subscriber in one order, while 200 callers append in two processes', async () => {
      const { log, other } = subject;
      const category = freshCategory();
      const options = { after: await log.end(), prefixes: [`${category}-`] };
      const subscribers = [log, log, other].map((mine) => take(mine, 2000, options));
      await Promise.all(
        Array.from({ length: 200 }, async (_, caller) => {
          for (let round = 0; round < 5; round++) {
            const mine = (caller + round) % 2 === 0 ? log : other;
            await mine.append(streamOf(category, caller % 7), 'any', events(2));
          }
        }),
      );
      const [first = [], ...rest] = await Promise.all(subscribers);
      expect(orderFaults(first)).toEqual([]);
      expect(first).toEqual(await collect(log.readAll({ prefixes: options.prefixes })));
      for (const seen of rest) expect(seen).toEqual(first);
    });

    it('waits for a slow subscriber, which gets everything', async () => {
      const { log } = subject;
      const category = freshCategory();
      const prefixes = [`${category}-`];
      const done = new AbortController();
      const gate = Promise.withResolvers<void>();
      const sizes: number[] = [];
      const seen: RecordedEvent[] = [];
      const after = await log.end();
      const slow = (async () => {
        for await (const batch of log.subscribe({ after, prefixes, signal: done.signal })) {
          sizes.push(batch.length);
          seen.push(...batch);
          await gate.promise;
          if (seen.length === 10_001) done.abort();
        }
      })();
      await log.append(streamOf(category), 'none', events(1));
      await expect.poll(() => seen.length).toBe(1);
      for (let round = 0; round < 20; round++) await log.append(streamOf(category), 'any', events(500));
      expect(seen).toHaveLength(1);
      gate.resolve();
      await slow;
      expect(orderFaults(seen)).toEqual([]);
      expect(Math.max(...sizes)).toBeLessThan(1_000);
    });

    it('is not delayed by a subscriber that fails or leaves', async () => {
      const { log } = subject;
      const category = freshCategory();
      const options = { after: await log.end(), prefixes: [`${category}-`] };
      const signal = new AbortController().signal;
      const dying = (async () => {
        for await (const _ of log.subscribe({ ...options, signal })) throw new Error('the consumer died');
      })();
      const died = expect(dying).rejects.toThrow('the consumer died');
      const leaving = (async () => {
        for await (const _ of log.subscribe({ ...options, signal })) break;
      })();
      // It returns while its next batch is pending.
      const gone = log.subscribe({ ...options, after: await log.end(), signal })[Symbol.asyncIterator]();
      const unanswered = gone.next();
      await gone.return?.();
      expect(await unanswered).toMatchObject({ done: true });
      const living = take(log, 30, options);
      for (let round = 0; round < 30; round++) await log.append(streamOf(category), 'any', events(1));
      await died;
      await leaving;
      expect(await living).toHaveLength(30);
    });

    it('ends by its signal without an error: before, while waiting and while reading', async () => {
      const { log } = subject;
      const category = freshCategory();
      const prefixes = [`${category}-`];
      const never = log.subscribe({ after: startOfLog, prefixes, signal: AbortSignal.abort() });
      expect(await collect(never)).toEqual([]);
      const waiting = new AbortController();
      const batches = collect(log.subscribe({ after: await log.end(), prefixes, signal: waiting.signal }));
      await log.append(streamOf(freshCategory()), 'any', events(1));
      waiting.abort();
      expect(await batches).toEqual([]);
      await log.append(streamOf(category), 'none', events(400));
      const reading = new AbortController();
      let seen = 0;
      for await (const batch of log.subscribe({ after: startOfLog, prefixes, signal: reading.signal })) {
        seen += batch.length;
        reading.abort();
      }
      expect(seen).toBeGreaterThan(0);
    });

    it('delivers what its own process appended', async () => {
      const { log } = subject;
      const category = freshCategory();
      const given = events(1);
      const seen = take(log, 1, { after: await log.end(), prefixes: [`${category}-`] });
      await log.append(streamOf(category), 'none', given);
      expect(idsOf(await seen)).toEqual(idsOf(given));
    });
  });

  describe('closing', () => {
    it('finishes running appends, ends subscriptions, and refuses further appends', async () => {
      const log = await open();
      const category = freshCategory();
      const signal = new AbortController().signal;
      const following = collect(
        log.subscribe({ after: await log.end(), prefixes: [`${category}-`], signal }),
      );
      const appends = Array.from({ length: 50 }, () => log.append(streamOf(category), 'any', events(1)));
      const closed = log.close();
      for (const answer of await Promise.all(appends)) expect(answer.outcome).toBe('appended');
      await closed;
      await following;
      await log.close();
      const late = log.append(streamOf(category), 'any', [{ ...events(1)[0], id: freshId() }]);
      await expect(late).rejects.toBeInstanceOf(LogFailure);
      expect(await collect(subject.log.readAll({ prefixes: [`${category}-`] }))).toHaveLength(50);
    });

    it('makes the log unhealthy', async () => {
      const log = await open();
      expect(await log.healthy()).toBe(true);
      await log.close();
      expect(await log.healthy()).toBe(false);
    });
  });
}
