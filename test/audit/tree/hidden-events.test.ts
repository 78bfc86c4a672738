import { EventStoreDBClient } from '@eventstore/db-client';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { auditorName } from '../../../services/audit/index/audit-task.ts';
import { HeadSigning } from '../../../services/audit/tree/head-signing.ts';
import { verifiedInWords } from '../../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import type { StreamName } from '../../../services/log/log.ts';
import { audit, seed, signer } from '../../support/audited-tree.ts';
import { openEventStoreDBAt } from '../../support/auditing.ts';
import { silent } from '../../support/projecting.ts';

const url = process.env.EVENTSTORE_URL;

describe.skipIf(url === undefined)('npm run verify of a log in EventStoreDB (needs EVENTSTORE_URL)', () => {
  let audited: Awaited<ReturnType<typeof openEventStoreDBAt>>;
  let pool: Pool;
  let client: EventStoreDBClient;
  /** Some streams of several events, with their numbers and how many they have. */
  let streams: { stream: StreamName; number: number; events: number }[];
  let events = 1_200;
  beforeAll(async () => {
    audited = await openEventStoreDBAt(url ?? '');
    pool = new Pool({ connectionString: audited.url });
    client = EventStoreDBClient.connectionString(url ?? '');
    await seed(audited, events);
    await audit(audited);
    streams = await audited.query(
      `select stream, min(number)::int as number, count(*)::int as events from audit.events
        group by stream having count(*) >= 3 order by 2`,
    );
  });
  afterAll(async () => {
    await client.dispose();
    await pool.end();
    await audited.close();
  });
  const verify = () => verifyLog({ log: audited.log, database: pool, origin: signer.name });
  const nextStream = () => {
    const next = streams.shift();
    if (!next) throw new Error('the history has too few streams');
    return { ...next, stored: `${audited.streamPrefix}${next.stream}` };
  };

  test('finds nothing if no stream was deleted, also if one has other metadata', async () => {
    await client.setStreamMetadata(nextStream().stored, { maxCount: 1_000, note: 'of an operator' });
    expect(await verify()).toMatchObject({ size: events, difference: undefined });
  });

  test.each<[string, (stored: string) => Promise<unknown>, (all: number) => number]>([
    ['was deleted', (stored) => client.deleteStream(stored), (all) => all],
    ['was deleted for ever', (stored) => client.tombstoneStream(stored), (all) => all],
    [
      'was truncated before an event',
      (stored) => client.setStreamMetadata(stored, { truncateBefore: 2 }),
      () => 2,
    ],
    [
      'may keep one event alone',
      (stored) => client.setStreamMetadata(stored, { maxCount: 1 }),
      (all) => all - 1,
    ],
    [
      'keeps its events for a second alone',
      (stored) => client.setStreamMetadata(stored, { maxAge: 1 }),
      (all) => all,
    ],
  ])('names a stream that %s, and which events it lacks', async (_what, hide, lacks) => {
    const { stream, stored, number, events: all } = nextStream();
    await hide(stored);
    const lacking = { stream, number, events: lacks(all), last: lacks(all) - 1 };
    await expect
      .poll(async () => (await verify()).difference, { timeout: 10_000 })
      .toMatchObject({
        kind: 'hidden',
        streams: expect.arrayContaining([lacking]),
      });
    expect(verifiedInWords(await verify())).toContain(
      `${stream} lacks its first ${lacking.events === 1 ? 'event' : `${lacking.events} events`}, up to ${stream}@${lacking.last}`,
    );
  });

  test('is not needed for a deletion while the program runs, which shows it until the stream is as it was', async () => {
    const signing = new HeadSigning({
      ...{ log: audited.log, database: pool, follower: auditorName, logger: silent, signer, everyMs: 20 },
    });
    onTestFinished(() => signing.stop());
    signing.start();
    const fault = () => expect.poll(() => signing.status().fault ?? '', { timeout: 10_000 });
    await vi.waitUntil(() => signing.status().size > 0, { timeout: 10_000 });
    const { stream, stored } = nextStream();
    await client.deleteStream(stored);
    await fault().toContain(`${stream} lacks its first `);
    // The first one ends the deletion and hides all the same what was there before.
    for (let time = 0; time < 2; time++) await client.setStreamMetadata(stored, { truncateBefore: 0 });
    await fault().not.toContain(`${stream} lacks`);
  });

  test('is not needed for metadata that take hold later, while the program runs', async () => {
    const { stream, stored, events: all } = nextStream();
    await client.setStreamMetadata(stored, { maxCount: all });
    const signing = new HeadSigning({
      ...{ log: audited.log, database: pool, follower: auditorName, logger: silent, signer, everyMs: 20 },
    });
    onTestFinished(() => signing.stop());
    signing.start();
    await vi.waitUntil(() => signing.status().size > 0, { timeout: 10_000 });
    expect(signing.status().fault ?? '').not.toContain(`${stream} lacks`);
    await audited.appendRaw(stream, 'AccountDisabled', { uid: 1 });
    await expect
      .poll(() => signing.status().fault ?? '', { timeout: 10_000 })
      .toContain(`${stream} lacks its first event`);
    await client.setStreamMetadata(stored, {});
    await audit(audited);
    events++;
  });

  test('goes on with what is appended after a stream was deleted for ever, and indexes no event of the deletion', async () => {
    const { stored, stream } = nextStream();
    await client.tombstoneStream(stored);
    expect(await Array.fromAsync(audited.log.readStream(stream))).toEqual([]);
    await audited.append({ type: 'AccountDisabled', data: { uid: 1 as never } });
    await audit(audited);
    const [row] = await audited.query<{ events: number; types: number }>(
      `select count(*)::int as events, count(*) filter (where type like '$%')::int as types from audit.events`,
    );
    expect(row).toEqual({ events: events + 1, types: 0 });
  });
});
