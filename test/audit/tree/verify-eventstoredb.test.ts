import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { differentStreams } from '../../../services/audit/tree/compare-streams.ts';
import { Heads, signHead } from '../../../services/audit/tree/heads.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { isAsItWas } from '../../../services/audit/tree/verified.ts';
import { verifiedInWords } from '../../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import { streamName } from '../../../services/domain/aggregate.ts';
import { LogFailure, type RecordedEvent, type StreamName } from '../../../services/log/log.ts';
import { audit, seed, signer } from '../../support/audited-tree.ts';
import { openEventStoreDB } from '../../support/auditing.ts';
import type { DoubleRecord } from '../../support/eventstoredb-double-store.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

describe('npm run verify of a log in EventStoreDB (a double) whose files were changed by hand', () => {
  let audited: Awaited<ReturnType<typeof openEventStoreDB>>;
  let pool: Pool;
  let before: readonly DoubleRecord[];
  const events = 300;
  beforeAll(async () => {
    audited = await openEventStoreDB();
    pool = new Pool({ connectionString: audited.url });
    await seed(audited, events);
    await audit(audited);
    before = [...audited.store.records];
    const root = await new TreeStore(pool).root(events);
    await new Heads(pool, signer.name).add(events, signHead(signer, { size: events, root }));
  });
  afterAll(async () => {
    await pool.end();
    await audited.close();
  });
  const difference = async () => {
    const verified = await verifyLog({ log: audited.log, database: pool, origin: signer.name });
    return verified.difference;
  };
  const at = (number: number): DoubleRecord => {
    const record = before[number];
    if (!record) throw new Error(`no event ${number}`);
    return record;
  };
  const named = ({ id, stream, revision }: DoubleRecord) => ({
    ...{ id, revision },
    stream: stream.slice('chat-'.length),
  });
  const changed = (...changes: readonly (readonly [number, DoubleRecord[]])[]) => {
    const records = before.flatMap((record, number) => new Map(changes).get(number) ?? [record]);
    audited.store.hold(records);
    onTestFinished(() => audited.store.hold(before));
  };

  test('finds nothing in one that was not', async () => {
    expect(await difference()).toBeUndefined();
  });

  test('names the event of which a byte was changed', async () => {
    const { proposal } = at(123);
    const data = Buffer.from(proposal.getData_asU8());
    const digit = data.findIndex((byte) => byte >= 0x30 && byte <= 0x38);
    proposal.setData(data.with(digit, (data[digit] ?? 0) + 1));
    onTestFinished(() => void proposal.setData(data));
    expect(await difference()).toMatchObject({
      ...{ kind: 'changed', number: 123, what: 'data or metadata' },
      event: named(at(123)),
    });
  });

  test('names the event whose data have a key twice, of which reading them gives the last', async () => {
    const { proposal } = at(123);
    const data = Buffer.from(proposal.getData_asU8());
    const [, key] = /^\{("[^"]*")/.exec(data.toString()) ?? [];
    proposal.setData(Buffer.from(`{${key}:"7777777",${data.toString().slice(1)}`));
    onTestFinished(() => void proposal.setData(data));
    const { stream, revision } = named(at(123));
    expect(await verifyLog({ log: audited.log, database: pool, origin: signer.name })).toMatchObject({
      ...{ difference: undefined, unread: [{ event: { stream, revision }, texts: ['data'] }] },
    });
  });

  test('names the event that was deleted, though the store refuses to read its stream then', async () => {
    const { stream } = before.find(({ revision }) => revision === 3) ?? at(0);
    const second = before.findIndex((record) => record.stream === stream && record.revision === 1);
    changed([second, []]);
    const { stream: name } = named(at(second));
    await expect(Array.fromAsync(audited.log.readStream(name as StreamName))).rejects.toThrow(LogFailure);
    expect(await difference()).toMatchObject({ kind: 'removed', number: second, event: named(at(second)) });
  });

  test('says how much its stream lacks if all of it was removed', async () => {
    const { stream } = before.find(({ revision }) => revision === 2) ?? at(0);
    const first = before.findIndex((record) => record.stream === stream);
    const ofStream = before.filter((record) => record.stream === stream);
    audited.store.hold(before.filter((record) => record.stream !== stream));
    onTestFinished(() => audited.store.hold(before));
    const { stream: name } = named(at(first));
    expect(await difference()).toMatchObject({
      ...{ kind: 'removed', number: first, event: named(at(first)) },
      lacking: { stream: name, number: first, events: ofStream.length, last: ofStream.length - 1 },
    });
  });

  test('names the last event if it was deleted', async () => {
    changed([events - 1, []]);
    expect(await difference()).toMatchObject({
      kind: 'removed',
      number: events - 1,
      event: named(at(events - 1)),
    });
  });

  test('names the event that was inserted between others', async () => {
    const inserted = {
      ...at(99),
      ...{ id: '00000000-0000-7000-8000-000000077777', stream: 'chat-user-77777', revision: 0 },
      position: at(99).position + 1,
    };
    changed([99, [at(99), inserted]]);
    expect(await difference()).toMatchObject({ kind: 'inserted', number: 100, event: named(inserted) });
  });

  test('names the first of two events that were swapped', async () => {
    const [first, second] = [at(40), at(200)];
    changed(
      [40, [{ ...second, position: first.position }]],
      [200, [{ ...first, position: second.position }]],
    );
    expect(await difference()).toMatchObject({ kind: 'moved', number: 40, from: 200, event: named(second) });
  });
});

/** A log of 20 audited events, for one test. */
async function openSmall() {
  const audited = await openEventStoreDB();
  const pool = new Pool({ connectionString: audited.url });
  onTestFinished(async () => {
    await pool.end();
    await audited.close();
  });
  await seed(audited, 20);
  await audit(audited);
  return { audited, pool };
}

test('npm run verify names an event of type $streamDeleted that was appended by hand, audited or not', async () => {
  const { audited, pool } = await openSmall();
  await audited.appendRaw('user-77777', '$streamDeleted', { uid: 77777 });
  for (let time = 0; time < 2; time++) {
    const verified = await verifyLog({ log: audited.log, database: pool, origin: signer.name });
    expect(isAsItWas(verified)).toBe(false);
    expect(verifiedInWords(verified)).toMatch(/^MISPLACED: user-77777@0 \(\$streamDeleted\)/);
    await audit(audited);
  }
});

test('npm run verify names a log whose stream with its identity was deleted', async () => {
  const { audited, pool } = await openSmall();
  audited.store.hold(audited.store.records.filter(({ stream }) => stream !== 'chat-installation'));
  const verified = await verifyLog({ log: audited.log, database: pool, origin: signer.name });
  expect(isAsItWas(verified)).toBe(false);
  expect(verifiedInWords(verified)).toMatch(/^NOT NAMED: the log holds events .* stream 'installation'/);
});

describe('npm run verify -- --streams', () => {
  let audited: Awaited<ReturnType<typeof openEventStoreDB>>;
  let pool: Pool;
  let streams: StreamName[];
  beforeAll(async () => {
    audited = await openEventStoreDB();
    pool = new Pool({ connectionString: audited.url });
    await seed(audited, 300);
    await audit(audited);
    const rows = await audited.query<{ stream: StreamName }>(
      'select stream from audit.events group by stream having count(*) >= 3 order by stream limit 4',
    );
    streams = rows.map(({ stream }) => stream);
  });
  afterAll(async () => {
    await pool.end();
    await audited.close();
  });
  const streamOf = (index: number) => streams[index] ?? streamName('none');
  /** What differs if the reads of one stream give what `change` makes of its events. */
  const different = (stream: StreamName, change: (records: RecordedEvent[]) => RecordedEvent[]) =>
    Array.fromAsync(
      differentStreams({
        database: pool,
        log: wrapLog(audited.log, {
          async *readStream(name, options) {
            const records = await Array.fromAsync(audited.log.readStream(name, options));
            yield* name === stream ? change(records) : records;
          },
        }),
      }),
    );

  test('finds nothing if each stream is as the whole log has it, also behind what is audited', async () => {
    await audited.appendRaw('user-77777', 'AccountDisabled', { uid: 77777 });
    await audited.appendRaw(streamOf(0), 'AccountDisabled', { uid: 1 });
    expect(await different(streamOf(0), (records) => records)).toEqual([]);
  });

  test('passes over the second of two events of one id', async () => {
    expect(await different(streamOf(1), (records) => [...records.slice(0, 2), ...records])).toEqual([]);
  });

  test.each<[string, (records: RecordedEvent[]) => RecordedEvent[], number]>([
    [
      'gives two events in the other order',
      ([one, two, ...more]) => [two, one, ...more].flatMap((x) => x ?? []),
      0,
    ],
    ['lacks an event in the middle', (records) => records.toSpliced(1, 1), 1],
    ['lacks its last event', (records) => records.slice(0, -1), -1],
    [
      'gives an event with another revision',
      (records) => records.map((x, at) => (at === 2 ? { ...x, revision: 9 } : x)),
      2,
    ],
  ])('names a stream that %s', async (_what, change, first) => {
    const stream = streamOf(2);
    const records = await Array.fromAsync(audited.log.readStream(stream));
    expect(await different(stream, change)).toMatchObject([
      { stream, expected: { id: records.at(first)?.id } },
    ]);
  });

  test('names a stream that the store refuses to read', async () => {
    const refused = () => {
      throw new LogFailure('unavailable', 'Unexpected ReadStreamResult: Error');
    };
    expect(await different(streamOf(3), refused)).toMatchObject([
      { stream: streamOf(3), refusal: 'Unexpected ReadStreamResult: Error' },
    ]);
  });
});
