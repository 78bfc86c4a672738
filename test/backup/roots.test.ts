import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { history } from '../../scripts/seed/history.ts';
import { leafOf } from '../../services/audit/copy/copied-tree.ts';
import { folderCopy } from '../../services/audit/copy/folder-copy.ts';
import { GrowingTree } from '../../services/audit/tree/growing-tree.ts';
import { signHead } from '../../services/audit/tree/heads.ts';
import { signingKey, verifierOf } from '../../services/audit/tree/note.ts';
import { hashOf } from '../../services/backup/durable-file.ts';
import { makeBackup } from '../../services/backup/make-backup.ts';
import { type Manifest, readManifest, writeJson } from '../../services/backup/manifest.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { openLocalFolder } from '../../services/files/local-folder.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import { type EventLog, LogFailure } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { openEventStoreDB } from '../support/auditing.ts';
import { createDatabase } from '../support/database.ts';
import { between, sent } from '../support/events.ts';
import { temporaryFolder } from '../support/folder.ts';
import { query } from '../support/installation.ts';
import { newEventId } from '../support/projecting.ts';
import { appendUnder } from '../support/repeated-ids.ts';
import { wrapLog } from '../support/wrapped-log.ts';
import { emptyDatabase, partsOf, restored, verified } from './backup-harness.ts';

/** A database with a log of 300 events and the head that was signed of it. */
async function signedLog(): Promise<{
  readonly url: string;
  readonly key: Buffer;
  backUp(): Promise<string>;
}> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const log = await openPostgresLog({ connectionString: database.url });
  onTestFinished(() => log.close());
  await appendInOrder(log, history({ events: 300, seed: 'roots' }), () => undefined);
  const tree = new GrowingTree();
  for await (const event of log.readAll()) tree.append(leafOf(event));
  const key = randomBytes(32);
  const note = signHead({ name: 'log', key: signingKey(key) }, { size: 300, root: tree.root() });
  await query(database.url, `insert into audit.heads (origin, size, note) values ('log', 300, '${note}')`);
  return {
    ...{ url: database.url, key },
    async backUp() {
      const folder = await temporaryFolder();
      const store = await openLocalFolder(await temporaryFolder());
      await makeBackup({ ...(await partsOf(database.url, store)), folder, log });
      return folder;
    },
  };
}

const anotherText = `update log.events set data = '{"uid":1}' where position = 7`;

test('a log that was changed after a head of it was signed is refused by verify and by restore', async () => {
  const { url, backUp } = await signedLog();
  await query(url, anotherText);
  const folder = await backUp();
  const reason = 'the first 300 events of the log are not those of the head of the audit log';
  await expect(verified(folder)).rejects.toThrow(reason);
  const target = await emptyDatabase();
  await expect(restored(folder, { url: target })).rejects.toThrow(reason);
  expect((await query(target, `select to_regclass('log.events') as made`)).rows).toEqual([{ made: null }]);
});

test('a backup whose events were changed with the hash of their file is refused by verify and by restore', async () => {
  const folder = await (await signedLog()).backUp();
  await changeEvents(folder, ({ log: { files } }) => files);
  await expect(verified(folder)).rejects.toThrow(
    'its events, number 0 to 299, are not those that were backed up',
  );
  const target = await emptyDatabase();
  await expect(restored(folder, { url: target })).rejects.toThrow('are not those that were backed up');
  expect((await query(target, `select to_regclass('log.events') as made`)).rows).toEqual([{ made: null }]);
});

test('a backup of which a line was changed so that reading it gives the same is refused by verify and by restore', async () => {
  const folder = await (await signedLog()).backUp();
  const manifest = await readManifest(folder);
  const [file] = manifest?.log.files ?? [];
  if (!manifest || !file) throw new Error('there is no backup');
  const path = join(folder, 'log', file.name);
  const text = (await readFile(path, 'utf8')).replace(/"data":\{("\w+":)/, '"data":{$1"never said",$1');
  await writeFile(path, text);
  file.bytes = Buffer.byteLength(text);
  file.sha256 = await hashOf(path, file.bytes);
  await writeJson(join(folder, 'manifest.json'), manifest);
  const reason = `${path}, line 1, holds something else than event number 0: it is not written as an export writes it`;
  await expect(verified(folder)).rejects.toThrow(reason);
  const target = await emptyDatabase();
  await expect(restored(folder, { url: target })).rejects.toThrow(reason);
  expect((await query(target, `select to_regclass('log.events') as made`)).rows).toEqual([{ made: null }]);
});

test('a backup whose head was changed with its events is refused, by its own key or by the one that is given', async () => {
  const { key, backUp } = await signedLog();
  const folder = await backUp();
  await changeEvents(folder, async (manifest) => {
    const [file] = manifest.log.files;
    if (!file || manifest.head === null) throw new Error('the backup has no events or no head');
    const tree = new GrowingTree();
    for await (const event of folderCopy(join(folder, 'log')).events()) tree.append(leafOf(event));
    const root = Buffer.from(tree.root()).toString('base64');
    manifest.head = manifest.head.replace(file.root, root);
    file.root = root;
  });
  const verifier = verifierOf({ name: 'log', key: signingKey(key) });
  await expect(verified(folder, { verifier })).rejects.toThrow(
    'the signature of log is not that of this text',
  );
  await expect(verified(folder)).resolves.toMatchObject({ events: 300 });
  await mkdir(join(folder, 'keys'), { recursive: true });
  await writeFile(join(folder, 'keys', 'audit-key'), key.toString('base64'));
  await expect(verified(folder)).rejects.toThrow('the signature of log is not that of this text');
});

/** Changes an event of a backup and the hash of its file, as one who knows what a backup is would. */
async function changeEvents(folder: string, further: (manifest: Manifest) => unknown): Promise<void> {
  const manifest = await readManifest(folder);
  const [file] = manifest?.log.files ?? [];
  if (!manifest || !file) throw new Error('there is no backup');
  const path = join(folder, 'log', file.name);
  const text = await readFile(path, 'utf8');
  await writeFile(
    path,
    text.replace(/"time":(\d)/, (_, digit) => `"time":${(Number(digit) % 9) + 1}`),
  );
  file.sha256 = await hashOf(path, file.bytes);
  await further(manifest);
  await writeJson(join(folder, 'manifest.json'), manifest);
}

test('a restored log whose root is another than that of the backup is refused, and no program starts on it', async () => {
  const folder = await (await signedLog()).backUp();
  const target = await emptyDatabase();
  const changing = (log: EventLog) =>
    wrapLog(log, {
      async *readAll(options) {
        for await (const event of log.readAll(options)) {
          yield event.revision === 0 ? { ...event, data: { ...event.data, changed: true } } : event;
        }
      },
    });
  await expect(restored(folder, { url: target, wrap: changing })).rejects.toThrow(
    'the copy is not the same: it has 300 events of 300, or others',
  );
  expect((await query(target, 'select loaded from restore.state')).rows).toEqual([{ loaded: true }]);
});

test('a backup that is changed between its verification and its restore is refused', async () => {
  const folder = await (await signedLog()).backUp();
  const before = await verified(folder);
  const file = join(folder, 'log', before.manifest.log.files[0]?.name ?? '');
  const text = await readFile(file, 'utf8');
  // As long as before, so that the lines stay whole.
  await writeFile(
    file,
    text.replace(/"time":(\d)/, (_, digit) => `"time":${(Number(digit) % 9) + 1}`),
  );
  await expect(restored(folder, { verified: before })).rejects.toThrow(
    'the restored log has another root than the backup',
  );
});

test('a restore that continues after stored events were changed names the first of them', async () => {
  const folder = await (await signedLog()).backUp();
  const target = await emptyDatabase();
  let appends = 0;
  const failing = (log: EventLog) =>
    wrapLog(log, {
      append: (...given) => {
        if (++appends > 100) return Promise.reject(new LogFailure('unavailable', 'away'));
        return log.append(...given);
      },
    });
  await expect(restored(folder, { url: target, wrap: failing })).rejects.toThrow('away');
  await query(target, anotherText);
  await expect(restored(folder, { url: target })).rejects.toThrow(
    /the target is no beginning of the source: it has \S+@\d+ \(/,
  );
});

test('a backup of an EventStoreDB that holds two events of one id says that no store takes it', async () => {
  const world = await openEventStoreDB();
  onTestFinished(() => world.close());
  const id = newEventId();
  const talk = between(1, 2);
  await world.append(sent(talk, 1, 10, '甲'), { id });
  await appendUnder(world, id, sent(talk, 1, 10, '甲'));
  await world.append(sent(talk, 2, 11, '乙'));
  const tree = new GrowingTree();
  for (const number of [0, 2]) {
    const [event] = await Array.fromAsync(
      world.log.readStream(streamName('conversation-f1-2'), { from: number, limit: 1 }),
    );
    if (event) tree.append(leafOf(event));
  }
  const note = signHead({ name: 'log', key: signingKey(randomBytes(32)) }, { size: 2, root: tree.root() });
  await world.query('insert into audit.heads (origin, size, note) values ($1, 2, $2)', ['log', note]);
  const folder = await temporaryFolder();
  const store = await openLocalFolder(await temporaryFolder());
  await makeBackup({ ...(await partsOf(world.url, store)), folder, log: world.log });
  const reason =
    'the log holds an event under the id of an earlier one of the same stream, as conversation-f1-2@1';
  await expect(verified(folder)).rejects.toThrow(reason);
  await expect(restored(folder)).rejects.toThrow(reason);
});
