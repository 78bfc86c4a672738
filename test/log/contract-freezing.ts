import { describe, expect, it } from 'vitest';
import type { EventLog } from '../../services/log/log.ts';
import { type NetworkProxy, startProxy } from '../support/proxy.ts';
import { appendPersistently, collect, events, freshCategory, idsOf, streamOf } from './specimens.ts';

/** A store whose server can be reached directly or through a proxy. */
export interface ReachedStore {
  /** The port of its server. */
  readonly port: number;
  /** Opens the log over a port. */
  open(port: number): Promise<EventLog>;
}

/** How long recovery may take: some seconds, and more on a busy machine. */
const recoveryTimeoutMs = 15_000;

/** What every adapter must do when its connections transport nothing any more and are not closed. */
export function describeFreezing(name: string, reach: () => Promise<ReachedStore>): void {
  describe(`connections to ${name}`, () => {
    const ways: [string, (proxy: NetworkProxy) => void, (proxy: NetworkProxy) => void][] = [
      ['that freeze, while new ones work', (proxy) => proxy.freeze(), () => undefined],
      [
        'whose network drops everything for a while',
        (proxy) => proxy.discard(true),
        (proxy) => proxy.discard(false),
      ],
    ];
    it.each(ways)(
      '%s: the log is unhealthy, appends and subscriptions go on, nothing is lost or duplicated',
      { timeout: 60_000 },
      async (_, fail, mend) => {
        const store = await reach();
        const proxy = await startProxy({ port: store.port, host: '127.0.0.1' });
        const direct = await store.open(store.port);
        const log = await store.open(proxy.port);
        const category = freshCategory();
        const prefixes = [`${category}-`];
        const seen: string[] = [];
        const done = new AbortController();
        const options = { after: await log.end(), prefixes, signal: done.signal };
        const following = (async () => {
          for await (const batch of log.subscribe(options)) seen.push(...idsOf(batch));
        })();
        const append = async (through: EventLog, id: string) => {
          const given = events(1);
          await appendPersistently(through, streamOf(category, id), 'any', given);
          return idsOf(given);
        };
        const [first] = await append(log, 'before');
        await expect.poll(() => seen, { timeout: recoveryTimeoutMs }).toEqual([first]);
        fail(proxy);
        const [mine, others] = [append(log, 'mine'), append(direct, 'others')];
        await expect.poll(() => log.healthy(), { timeout: recoveryTimeoutMs, interval: 20 }).toBe(false);
        mend(proxy);
        await expect.poll(() => log.healthy(), { timeout: recoveryTimeoutMs }).toBe(true);
        await Promise.all([mine, others]);
        await append(direct, 'after');
        const stored = idsOf(await collect(direct.readAll({ prefixes })));
        expect(stored).toHaveLength(4);
        await expect.poll(() => seen, { timeout: recoveryTimeoutMs }).toEqual(stored);
        done.abort();
        await following;
        await log.close();
        await direct.close();
      },
    );
  });
}
