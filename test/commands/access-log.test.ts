import { setImmediate as immediate } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AccessEvent } from '../../contracts/events/access.ts';
import { openAccessLog } from '../../services/commands/access-log.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { decode } from '../../services/log/codec.ts';
import { type AppendResult, type EventLog, LogFailure, startOfLog } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { silent } from '../support/accounts.ts';
import { context } from '../support/acting.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { uid } from '../support/events.ts';

let database: TestDatabase;
let log: EventLog;

beforeAll(async () => {
  database = await createDatabase();
  log = await openPostgresLog({ connectionString: database.url });
});

afterAll(async () => {
  await log.close();
  await database.drop();
});

let lastUid = 100;
const freshUid = () => uid(++lastUid);

const failed = (who: number | null): AccessEvent => ({
  type: 'LoginFailed',
  data: { uid: who === null ? null : uid(who) },
});
const uploaded = (who: number, bytes: number): AccessEvent => ({
  type: 'FileUploaded',
  data: { uid: uid(who), path: 'files/a', bytes },
});

async function recordedIn(stream: string) {
  const events = [];
  for await (const record of log.readStream(streamName(stream))) events.push(decode(record));
  return events;
}

/** How many failed logins a stream records: single ones, and those counted as suppressed. */
const recordedCount = (events: Awaited<ReturnType<typeof recordedIn>>) =>
  events.reduce((sum, { data }) => sum + 1 + ('suppressed' in data ? (data.suppressed ?? 0) : 0), 0);

describe('the record of access', () => {
  it('appends each event to the stream of the person, in order, with who caused it', async () => {
    const access = openAccessLog(log, silent);
    const who = freshUid();
    for (let bytes = 0; bytes < 300; bytes++) access.record(uploaded(who, bytes), context(who));
    await access.close();
    const events = await recordedIn(`access-${who}`);
    expect(events.map(({ data }) => data)).toEqual(
      Array.from({ length: 300 }, (_, bytes) => ({ uid: who, path: 'files/a', bytes })),
    );
    expect(events[0]?.metadata).toMatchObject({ actor: String(who), $correlationId: 'test' });
  });

  it('appends what comes at whatever moment after the log has taken all before', async () => {
    const stored: AppendResult = { outcome: 'appended', revision: 0, position: startOfLog };
    for (const steps of Array(12).keys()) {
      const taken = Promise.withResolvers<AppendResult>();
      let appends = 0;
      const append = () => (++appends === 1 ? taken.promise : Promise.resolve(stored));
      const access = openAccessLog({ append }, silent);
      const who = freshUid();
      access.record(uploaded(who, 1), context(who));
      taken.resolve(stored);
      for (let step = 0; step < steps; step++) await undefined;
      access.record(uploaded(who, 2), context(who));
      await immediate();
      expect(appends, `${steps} steps later`).toBe(2);
      await access.close();
    }
  });

  it('waits while the log is away, and loses and repeats nothing', async () => {
    let away = true;
    const access = openAccessLog(
      {
        append: (...append) => {
          if (away) return Promise.reject(new LogFailure('unavailable', 'away'));
          return log.append(...append);
        },
      },
      silent,
    );
    const [one, other] = [freshUid(), freshUid()];
    for (const who of [one, other, one]) access.record(uploaded(who, 1), context(who));
    away = false;
    await vi.waitUntil(async () => (await recordedIn(`access-${one}`)).length === 2, { timeout: 10_000 });
    expect(await recordedIn(`access-${other}`)).toHaveLength(1);
    await access.close();
    expect(await recordedIn(`access-${one}`)).toHaveLength(2);
  });

  it('keeps 10,000 events while the log is away, and says how many more were lost', async () => {
    let away = true;
    const lines: unknown[] = [];
    const logger = pino({ level: 'error' }, { write: (line) => lines.push(JSON.parse(line)) });
    const access = openAccessLog(
      {
        append: (...append) =>
          away ? Promise.reject(new LogFailure('unavailable', 'away')) : log.append(...append),
      },
      logger,
    );
    const people = Array.from({ length: 10 }, freshUid);
    for (const who of people) {
      for (let bytes = 0; bytes < 1_000; bytes++) access.record(uploaded(who, bytes), context(who));
    }
    const late = freshUid();
    for (let bytes = 0; bytes < 2; bytes++) access.record(uploaded(late, bytes), context(late));
    away = false;
    const last = `access-${people.at(-1)}`;
    await vi.waitUntil(async () => (await recordedIn(last)).length === 1_000, { timeout: 20_000 });
    await access.close();
    for (const who of people) expect(await recordedIn(`access-${who}`)).toHaveLength(1_000);
    expect(await recordedIn(`access-${late}`)).toEqual([]);
    expect(lines).toMatchObject([{ events: 2, msg: 'events of access were not recorded: the log was away' }]);
  });

  it('records few of many failures for one person, and says how many there were', async () => {
    const access = openAccessLog(log, silent);
    const who = freshUid();
    for (let tries = 0; tries < 1_000; tries++) access.record(failed(who), context('server'));
    await access.close();
    const events = await recordedIn(`access-${who}`);
    expect(events.length).toBeLessThanOrEqual(11);
    expect(recordedCount(events)).toBe(1_000);
  });

  it('records an attack on many people in few streams, and the rest as nobody’s', async () => {
    const access = openAccessLog(log, silent);
    const after = await log.end();
    for (let tries = 0; tries < 3_000; tries++) access.record(failed(freshUid()), context('server'));
    await access.close();
    const events = [];
    for await (const record of log.readAll({ after, prefixes: ['access'] })) events.push(decode(record));
    expect(events.length).toBeLessThan(220);
    expect(recordedCount(events)).toBe(3_000);
    expect(recordedCount(events.filter(({ stream }) => stream === 'access'))).toBeGreaterThan(2_750);
  });
});
