import { Pool } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { HiddenWatch } from '../../../services/audit/tree/hidden-watch.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { streamName } from '../../../services/domain/aggregate.ts';
import { streamNotices } from '../../../services/log/eventstoredb/selection.ts';
import type { HiddenStream, ReadStreamOptions, StreamName } from '../../../services/log/log.ts';
import { audit, seed } from '../../support/audited-tree.ts';
import { auditedLogs } from '../../support/auditing.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

const [[, open]] = auditedLogs;

/** A watch of an audited log whose store gives of each stream what is behind a revision alone. */
async function watching() {
  const audited = await open();
  const pool = new Pool({ connectionString: audited.url });
  onTestFinished(async () => {
    await pool.end();
    await audited.close();
  });
  await seed(audited, 200);
  await audit(audited);
  const noticed: HiddenStream[] = [];
  const readableFrom = new Map<StreamName, number>();
  const log = wrapLog(audited.log, {
    async *hiddenStreams() {
      yield* noticed.splice(0);
    },
    readStream: (stream: StreamName, options?: ReadStreamOptions) =>
      audited.log.readStream(stream, { ...options, from: readableFrom.get(stream) ?? 0 }),
  });
  const rows = await audited.query<{ stream: string }>(
    `select stream from audit.events group by stream having count(*) >= 3 order by 1`,
  );
  const streams = rows.map(({ stream }) => streamName(stream));
  const watch = new HiddenWatch(log);
  return { noticed, readableFrom, streams, check: () => watch.check(new TreeStore(pool)) };
}

test('a stream whose metadata hid nothing at first is watched on', async () => {
  const { noticed, readableFrom, streams, check } = await watching();
  const [stream = streamName('none')] = streams;
  noticed.push({ stream, readableFrom: 0 });
  expect(await check()).toEqual([]);
  readableFrom.set(stream, 2);
  expect(await check()).toMatchObject([{ stream, events: 2, last: 1 }]);
  readableFrom.delete(stream);
  expect(await check()).toEqual([]);
  readableFrom.set(stream, 1);
  expect(await check()).toMatchObject([{ stream, events: 1, last: 0 }]);
});

test('of very many streams with such metadata each is looked at in turn, and a hidden one at once', async () => {
  const { noticed, readableFrom, streams, check } = await watching();
  const [late = streamName('none'), hidden = streamName('none')] = streams;
  const others = Array.from({ length: 998 }, (_, index) => streamName(`user-${9_000_000 + index}`));
  noticed.push(...[...others, late].map((stream) => ({ stream, readableFrom: 0 })));
  expect(await check()).toEqual([]);
  readableFrom.set(late, 1).set(hidden, 1);
  noticed.push({ stream: streamName('user-8999999'), readableFrom: 0 }, { stream: hidden, readableFrom: 1 });
  expect(await check()).toMatchObject([{ stream: hidden }]);
  for (let checks = 0; checks < 9; checks++) await check();
  expect(await check()).toMatchObject(expect.arrayContaining([expect.objectContaining({ stream: late })]));
});

test.each([
  ['a greatest number of events', '{"$maxCount":2}', true],
  ['a greatest age', '{"$maxAge":60}', true],
  ['a first event', '{"$tb":7}', true],
  ['words of an operator', '{"note":"maxCount"}', false],
])('metadata of EventStoreDB with %s are told apart', (_what, text, lasting) => {
  const message = {
    ...{ id: '00000000-0000-7000-8000-000000077777', stream: '$$user-1', type: '$metadata', revision: 0 },
    ...{
      position: '1' as never,
      recorded: 1,
      isJson: true,
      data: Buffer.from(text),
      metadata: Buffer.alloc(0),
    },
  };
  expect(streamNotices.itemOf(message)).toMatchObject({ stream: 'user-1', lasting });
});
