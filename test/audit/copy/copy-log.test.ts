import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { history } from '../../../scripts/seed/history.ts';
import {
  type Copied,
  type CopySource,
  type CopyTarget,
  copyLog,
} from '../../../services/audit/copy/copy-log.ts';
import { readExportRecord } from '../../../services/audit/copy/export-record.ts';
import { folderCopy } from '../../../services/audit/copy/folder-copy.ts';
import { logCopy } from '../../../services/audit/copy/log-copy.ts';
import { appendInOrder } from '../../../services/log/append-in-order.ts';
import { openEventStoreDBLog } from '../../../services/log/eventstoredb/eventstoredb-log.ts';
import type { EventId, EventLog, StreamName } from '../../../services/log/log.ts';
import { openPostgresLog } from '../../../services/log/postgres/postgres-log.ts';
import { prefixedLog } from '../../../services/log/prefixed.ts';
import { silent } from '../../support/accounts.ts';
import { createDatabase } from '../../support/database.ts';
import { temporaryFolder } from '../../support/folder.ts';

const eventStoreUrl = process.env.EVENTSTORE_URL;

async function postgresLog(): Promise<EventLog> {
  const database = await createDatabase();
  const log = await openPostgresLog({ connectionString: database.url });
  onTestFinished(async () => {
    await log.close();
    await database.drop();
  });
  return log;
}

async function eventStoreLog(url: string): Promise<EventLog> {
  const prefix = `copy${crypto.randomUUID().slice(0, 8)}-`;
  const identityStream = `${prefix}installation` as StreamName;
  const log = openEventStoreDBLog({ url, logger: silent, identityStream });
  onTestFinished(() => log.close());
  return prefixedLog(log, prefix);
}

/** A log of a made-up history. */
async function seeded(events: number, seed = 'copy'): Promise<EventLog> {
  const log = await postgresLog();
  await appendInOrder(log, history({ events, seed }), () => undefined);
  return log;
}

const copy = (source: CopySource, target: CopyTarget) => copyLog(source, target, () => undefined);

async function recordsOf(log: EventLog) {
  const records = [];
  for await (const { position: _, raw, ...record } of log.readAll())
    records.push({ ...record, text: raw.data });
  return records;
}

describe('a copy of a log', () => {
  test('by a folder into another log has the same events, times and order, and one root', async () => {
    const [source, target, folder] = [await seeded(2500), await postgresLog(), await temporaryFolder()];
    const out = await copy(logCopy(source), folderCopy(folder));
    const back = await copy(folderCopy(folder), logCopy(target));
    expect(out).toMatchObject({ size: 2500, before: 0 });
    expect(Buffer.from(back.root)).toEqual(Buffer.from(out.root));
    expect(await recordsOf(target)).toEqual(await recordsOf(source));
  });

  test.skipIf(eventStoreUrl === undefined)(
    'through EventStoreDB and back into Postgres has one root (needs EVENTSTORE_URL)',
    async () => {
      const [source, back] = [await seeded(2500), await postgresLog()];
      const between = await eventStoreLog(eventStoreUrl ?? '');
      const out = await copy(logCopy(source), logCopy(between));
      const returned = await copy(logCopy(between), logCopy(back));
      expect(Buffer.from(returned.root)).toEqual(Buffer.from(out.root));
      expect(await recordsOf(back)).toEqual(await recordsOf(source));
      expect(await copy(logCopy(source), logCopy(between))).toMatchObject({ size: 2500, before: 2500 });
    },
  );

  test('continues after an interruption, also one in the middle of a line', async () => {
    const [source, folder] = [await seeded(1500), await temporaryFolder()];
    const stop = new AbortController();
    let done = 0;
    const partly = copyLog(
      logCopy(source),
      {
        ...folderCopy(folder),
        add: (events, onStored) =>
          folderCopy(folder).add(
            (async function* () {
              for await (const event of events) {
                if (++done > 700) stop.abort(new Error('interrupted'));
                yield event;
              }
            })(),
            onStored,
          ),
      },
      () => undefined,
      stop.signal,
    );
    await expect(partly).rejects.toThrow('interrupted');
    expect(await readExportRecord(folder)).toEqual({ format: 1, finished: false });
    const [file = ''] = await readdir(folder);
    await appendFile(join(folder, file), '{"stream":"user-1","revis');
    const copied: Copied = await copy(logCopy(source), folderCopy(folder));
    expect(copied).toMatchObject({ size: 1500, before: done });
    expect((await copy(folderCopy(folder), logCopy(await postgresLog()))).size).toBe(1500);
  });

  test('is refused by a target that holds something else, and names the position', async () => {
    const [source, other, folder] = [await seeded(300), await seeded(300, 'other'), await temporaryFolder()];
    await expect(copy(logCopy(source), logCopy(other))).rejects.toThrow(
      /no beginning of the source: it has setting@0/,
    );
    await copy(logCopy(source), folderCopy(folder));
    await expect(copy(logCopy(await seeded(100)), folderCopy(folder))).rejects.toThrow(/it has .*@\d+/);
    const longer = await postgresLog();
    await copy(folderCopy(folder), logCopy(longer));
    await longer.append('user-1000000' as StreamName, 'any', [
      { id: crypto.randomUUID() as EventId, type: 'AccountDisabled', data: { uid: 1_000_000 }, metadata: {} },
    ]);
    await copy(logCopy(longer), folderCopy(folder));
    await expect(copy(logCopy(source), folderCopy(folder))).rejects.toThrow(
      'the target has more than the source: user-1000000@0',
    );
  });

  test('that is refused or interrupted ends its reading of the target, which else keeps the process alive', async () => {
    const [source, target] = [await seeded(20), await seeded(20, 'other')];
    const open = new Set<object>();
    const watched = (log: EventLog): CopyTarget => ({
      ...logCopy(log),
      async *events() {
        const reading = {};
        open.add(reading);
        try {
          yield* logCopy(log).events();
        } finally {
          open.delete(reading);
        }
      },
    });
    await expect(copy(logCopy(source), watched(target))).rejects.toThrow('is no beginning of the source');
    expect(open.size).toBe(0);
    const interrupted = copyLog(
      logCopy(source),
      watched(source),
      () => undefined,
      AbortSignal.abort(new Error('interrupted')),
    );
    await expect(interrupted).rejects.toThrow('interrupted');
    expect(open.size).toBe(0);
  });

  test('is not made of a folder that was changed: a broken line, a missing file', async () => {
    const [source, folder] = [await seeded(200), await temporaryFolder()];
    await copy(logCopy(source), folderCopy(folder));
    const file = join(folder, 'events-000000000000.ndjson');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('\n{', '\n'));
    await expect(copy(folderCopy(folder), logCopy(await postgresLog()))).rejects.toThrow('event number 1');
    await truncate(file, 0);
    await writeFile(join(folder, 'events-000000000300.ndjson'), text);
    await expect(copy(folderCopy(folder), logCopy(await postgresLog()))).rejects.toThrow('does not follow');
  });
});
