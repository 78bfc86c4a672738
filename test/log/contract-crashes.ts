import { describe, expect, it } from 'vitest';
import type { EventId } from '../../services/log/log.ts';
import type { MortalStore } from './contract.ts';
import {
  appendPersistently,
  collect,
  events,
  freshCategory,
  idsOf,
  orderFaults,
  streamOf,
} from './specimens.ts';

const kills = 3;

export function describeCrashes(make: () => Promise<MortalStore>): void {
  describe('a server that is killed', () => {
    /**
     * Callers append without a pause while the server is killed three times, and repeat appends that failed. The
     * acknowledged events are counted beside the log.
     */
    it('loses nothing acknowledged, stores nothing twice, delivers everything once', {
      timeout: 180_000,
    }, async () => {
      const store = await make();
      const log = await store.open();
      const category = freshCategory();
      const prefixes = [`${category}-`];
      const done = new AbortController();
      const seen: EventId[] = [];
      const after = await log.end();
      const following = (async () => {
        for await (const batch of log.subscribe({ after, prefixes, signal: done.signal }))
          seen.push(...idsOf(batch));
      })();
      const acknowledged: EventId[] = [];
      let stopping = false;
      const callers = Array.from({ length: 32 }, async (_, caller) => {
        while (!stopping) {
          const given = events(1 + (caller % 2));
          const answer = await appendPersistently(log, streamOf(category, caller % 8), 'any', given);
          expect(answer.outcome).not.toBe('conflict');
          acknowledged.push(...idsOf(given));
        }
      });
      for (let kill = 0; kill < kills; kill++) {
        const enough = acknowledged.length + 500;
        await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(enough);
        await store.kill();
        await store.ready();
      }
      const enough = acknowledged.length + 200;
      await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(enough);
      stopping = true;
      await Promise.all(callers);

      const stored = await collect(log.readAll({ prefixes }));
      expect(orderFaults(stored)).toEqual([]);
      expect(idsOf(stored).toSorted()).toEqual(acknowledged.toSorted());
      await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(stored.length);
      expect(seen).toEqual(idsOf(stored));
      done.abort();
      await following;
      expect(await log.healthy()).toBe(true);
      await log.close();
      await store.remove();
    });
  });
}
