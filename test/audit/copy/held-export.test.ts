import { randomBytes } from 'node:crypto';
import { appendFile, cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CopiedTree, leafOf } from '../../../services/audit/copy/copied-tree.ts';
import { coveringHead, headBefore } from '../../../services/audit/copy/covering-head.ts';
import { finishExport, readExportRecord } from '../../../services/audit/copy/export-record.ts';
import { folderCopy } from '../../../services/audit/copy/folder-copy.ts';
import { Heads, signHead } from '../../../services/audit/tree/heads.ts';
import { type NoteSigner, signingKey, verifierKey, verifierOf } from '../../../services/audit/tree/note.ts';
import { isConsistent } from '../../../services/audit/tree/proofs.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { openPostgresLog } from '../../../services/log/postgres/postgres-log.ts';
import type { AtEnd } from '../../support/at-end.ts';
import { audit, seed } from '../../support/audited-tree.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { createEmptyDatabase } from '../../support/database.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { runScript } from '../../support/script.ts';

const origin = 'bubble-im/test';
const auditKey = randomBytes(32);
const signer: NoteSigner = { name: origin, key: signingKey(auditKey) };
const ours = { AUDIT_KEY: auditKey.toString('base64'), AUDIT_ORIGIN: origin };
const verifier = verifierKey(verifierOf(signer));
const file = 'events-000000000000.ndjson';
const events = 800;
const signed = 700;

/** A log of 800 events, of whose first 700 a head is signed, and the folder that it was exported into. */
let audited: AuditedLog;
let pool: Pool;
let exported: string;
let printed: string;
beforeAll(async () => {
  audited = await auditedLogs[0][1]();
  pool = new Pool({ connectionString: audited.url });
  await seed(audited, events, 'exported');
  await audit(audited);
  await sign(signed);
  exported = await temporaryFolder(afterAll);
  const ended = await exportTo(exported, afterAll);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  printed = ended.stdout;
}, 60_000);
afterAll(async () => {
  await pool.end();
  await audited.close();
});

async function sign(size: number): Promise<void> {
  const root = await new TreeStore(pool).root(size);
  await new Heads(pool, origin).add(size, signHead(signer, { size, root }));
}

function exportTo(folder: string, atEnd?: AtEnd) {
  const nowhere = { DATA_DIR: '/nonexistent', LOG_LEVEL: 'error' };
  return runScript('export', ['--to', folder], { ...nowhere, ...audited.environment, ...ours }, atEnd);
}

/** A copy of the exported folder, to change. */
async function copyOfExport(): Promise<string> {
  const folder = await temporaryFolder();
  await cp(exported, folder, { recursive: true });
  return folder;
}

/** Imports a folder into an empty database. @returns how it ended, and how many events are there */
async function importOf(
  folder: string,
  parameters: readonly string[] = [],
  variables: Readonly<Record<string, string>> = {},
) {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  const ended = await runScript('import', ['--from', folder, ...parameters], {
    ...{ DATA_DIR: '/nonexistent', LOG_LEVEL: 'error', DATABASE_URL: database.url, ...variables },
  });
  const client = new Pool({ connectionString: database.url });
  const { rows } = await client.query<{ made: boolean }>(
    `select to_regclass('log.events') is not null as made`,
  );
  await client.end();
  if (!rows[0]?.made) return { ...ended, events: 0 };
  const log = await openPostgresLog({ connectionString: database.url });
  const found = await Array.fromAsync(log.readAll());
  await log.close();
  return { ...ended, events: found.length };
}

async function changeLine(folder: string, number: number, change: (line: string) => string): Promise<void> {
  const lines = (await readFile(join(folder, file), 'utf8')).split('\n');
  lines[number] = change(lines[number] ?? '');
  await writeFile(join(folder, file), lines.join('\n'));
}

const later = (line: string) =>
  line.replace(/"recorded":(\d+)/, (_, time) => `"recorded":${Number(time) + 1}`);

/** Writes the hashes of the events that a folder holds now into its record, as one who changed them would. */
async function forgeRecord(folder: string, head?: { note: string; verifier: string | null }): Promise<void> {
  const record = await readExportRecord(folder);
  if (!record?.finished || !record.head) throw new Error('there is no record');
  const tree = new CopiedTree();
  for await (const event of folderCopy(folder).events()) tree.append(leafOf(event));
  await finishExport(folder, {
    ...{ events: tree.size, root: tree.root(), tiles: tree.tiles(), leftOut: record.leftOut },
    head: head ? { ...head, consistency: [] } : record.head,
  });
}

describe('a folder that npm run export wrote', () => {
  test('has the signed head of the log, and is imported as far as that covers it', async () => {
    expect(printed).toContain(`A head that ${origin} signed covers the first ${signed} of them.`);
    const imported = await importOf(exported, ['--verifier', verifier]);
    expect(imported).toMatchObject({ code: 0, stdout: printed, events });
    expect(imported.stderr).toContain('the last 100 events came after the head');
    expect(await readExportRecord(exported)).toMatchObject({ events, head: { verifier, consistency: [] } });
  });

  test('is held against the key of the installation that imports it, or names the key to compare', async () => {
    expect((await importOf(exported, [], ours)).stderr).toContain('the last 100 events came after the head');
    const elsewhere = await importOf(exported);
    expect(elsewhere).toMatchObject({ code: 0, events });
    expect(elsewhere.stderr).toContain(`or give --verifier: ${verifier}`);
  });

  test('is not imported if an event was changed, which is named by its 256', async () => {
    const folder = await copyOfExport();
    await changeLine(folder, 300, later);
    const imported = await importOf(folder);
    expect(imported).toMatchObject({ code: 1, stdout: '', events: 0 });
    expect(imported.stderr).toBe(
      `import: ${folder} is not what was exported: the events number 256 to 511 (${file}, lines 257 to 512) are not those ` +
        'that were exported\n',
    );
  });

  test.each([
    [
      'another value before the one that a key of its data has',
      /"data":\{("\w+":)/,
      '"data":{$1"never said",$1',
    ],
    ['a key of the line twice', /^\{/, '{"stream":"user-1",'],
    ['a key that no event has', /\}$/, ',"extra":1}'],
    ['blanks', /^\{/, '{ '],
  ])('is not imported if a line got %s, though no hash tells', async (_what, place, text) => {
    const folder = await copyOfExport();
    await changeLine(folder, 300, (line) => line.replace(place, text));
    const imported = await importOf(folder);
    expect(imported).toMatchObject({ code: 1, stdout: '', events: 0 });
    expect(imported.stderr).toContain(
      `${join(folder, file)}, line 301, holds something else than event number 300: it is not written as an export writes it`,
    );
    expect(imported.stderr).not.toContain('never said');
  });

  test('is not imported if the hashes in its record were changed with an event that was signed', async () => {
    const folder = await copyOfExport();
    await changeLine(folder, 300, later);
    await forgeRecord(folder);
    const imported = await importOf(folder);
    expect(imported).toMatchObject({ code: 1, events: 0 });
    expect(imported.stderr).toContain(
      `the first ${signed} events in ${folder} are not those of the log that ${origin}`,
    );
  });

  test('is not imported by who names the key, if the head was signed anew by another', async () => {
    const folder = await copyOfExport();
    await changeLine(folder, 300, later);
    const forger: NoteSigner = { name: origin, key: signingKey(randomBytes(32)) };
    const tree = new CopiedTree();
    for await (const event of folderCopy(folder).events()) tree.append(leafOf(event));
    const note = signHead(forger, { size: events, root: tree.root() });
    await forgeRecord(folder, { note, verifier: verifierKey(verifierOf(forger)) });
    const imported = await importOf(folder, ['--verifier', verifier]);
    expect(imported).toMatchObject({ code: 1, events: 0 });
    expect(imported.stderr).toContain(`is not signed by the key of ${origin}`);
    // Without a key to hold it against, the command names the key that signed.
    expect((await importOf(folder)).stderr).toContain(verifierKey(verifierOf(forger)));
  });

  test('is not imported if events are missing or were added at its end', async () => {
    const [shorter, longer] = [await copyOfExport(), await copyOfExport()];
    const text = await readFile(join(exported, file));
    await truncate(join(shorter, file), text.lastIndexOf('\n', -2) + 1);
    expect((await importOf(shorter)).stderr).toContain(
      `it has 799 events, and had 800 when its export ended; the events number 768 to 799 (${file}, lines 769 to 800)`,
    );
    const last = text.subarray(text.lastIndexOf('\n', -2) + 1);
    await appendFile(join(longer, file), last);
    const imported = await importOf(longer);
    expect(imported).toMatchObject({ code: 1, events: 0 });
    expect(imported.stderr).toContain(
      'it has 801 events, and had 800 when its export ended; those behind were added',
    );
  });

  test('is not imported if its record is damaged, or was not written to its end', async () => {
    const [damaged, unfinished] = [await copyOfExport(), await copyOfExport()];
    await writeFile(join(damaged, 'export.json'), '{"format":1,"fini');
    expect((await importOf(damaged)).stderr).toContain('export.json is damaged: it is no JSON');
    await writeFile(
      join(damaged, 'export.json'),
      '{"format":1,"finished":true,"events":3,"tiles":[],"head":null}',
    );
    expect((await importOf(damaged)).stderr).toContain('export.json is damaged: root is missing\n');
    await rm(join(damaged, 'export.json'));
    await writeFile(join(damaged, 'events-000000000000.ndjson'), '{"stream":"user-1","revision":0}\n');
    expect((await importOf(damaged)).stderr).toContain(
      'holds something else than event number 0 (id is missing, type is missing, recorded is missing, data is missing, metadata is missing)\n',
    );
    await writeFile(join(unfinished, 'export.json'), '{"format":1,"finished":false}');
    expect((await importOf(unfinished)).stderr).toContain('has not come to its end: run it again');
    const again = await exportTo(unfinished);
    expect(again.stdout).toContain(`${events} of which were there before`);
    // Beside them the record that the log was exported before.
    expect(await importOf(unfinished)).toMatchObject({ code: 0, events: events + 1 });
  });

  test('of an earlier version is imported, with a word that nothing is proven, but not against a key', async () => {
    const folder = await copyOfExport();
    await rm(join(folder, 'export.json'));
    const imported = await importOf(folder);
    expect(imported).toMatchObject({ code: 0, events });
    expect(imported.stderr).toContain('the folder has no export.json');
    const held = await importOf(folder, ['--verifier', verifier]);
    expect(held).toMatchObject({ code: 1, events: 0 });
    expect(held.stderr).toContain('holds no signed head to hold its events against');
  });
});

test('an export of a log that nobody audits has its hashes alone, and is imported with a word that it is so', async () => {
  const unaudited = await auditedLogs[0][1]();
  onTestFinished(() => unaudited.close());
  await seed(unaudited, 300, 'unaudited');
  const folder = await temporaryFolder();
  const ended = await runScript('export', ['--to', folder], {
    ...{ DATA_DIR: '/nonexistent', LOG_LEVEL: 'error', ...unaudited.environment },
  });
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain('No head that was signed covers them.');
  const imported = await importOf(folder);
  expect(imported).toMatchObject({ code: 0, stdout: ended.stdout, events: 300 });
  expect(imported.stderr).toContain('no head of the log was signed');
  await changeLine(folder, 10, later);
  expect(await importOf(folder)).toMatchObject({ code: 1, events: 0 });
});

test('an export of a log in EventStoreDB has the head that is in the database beside it', async () => {
  const elsewhere = await auditedLogs[1][1]();
  const database = new Pool({ connectionString: elsewhere.url });
  onTestFinished(async () => {
    await database.end();
    await elsewhere.close();
  });
  await seed(elsewhere, 300, 'elsewhere');
  await audit(elsewhere);
  const root = await new TreeStore(database).root(300);
  await new Heads(database, origin).add(300, signHead(signer, { size: 300, root }));
  const folder = await temporaryFolder();
  const ended = await runScript('export', ['--to', folder], {
    ...{ DATA_DIR: '/nonexistent', LOG_LEVEL: 'error', ...elsewhere.environment, ...ours },
  });
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain(`A head that ${origin} signed covers all of them.`);
  const imported = await importOf(folder, ['--verifier', verifier]);
  expect(imported).toMatchObject({ code: 0, stdout: ended.stdout, stderr: '', events: 300 });
});

test('the export of a log that was changed after it was signed says so, and is not imported', async () => {
  const changed = await auditedLogs[0][1]();
  const database = new Pool({ connectionString: changed.url });
  onTestFinished(async () => {
    await database.end();
    await changed.close();
  });
  await seed(changed, 300, 'changed');
  await audit(changed);
  const root = await new TreeStore(database).root(300);
  await new Heads(database, origin).add(300, signHead(signer, { size: 300, root }));
  await database.query(
    `update log.events set metadata = replace(metadata, '"actor":"', '"actor":"1') where position = 50`,
  );
  const folder = await temporaryFolder();
  const ended = await runScript('export', ['--to', folder], {
    ...{ DATA_DIR: '/nonexistent', LOG_LEVEL: 'error', ...changed.environment, ...ours },
  });
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain(`that is not what ${origin} signed a head of 300 events of`);
  expect(await importOf(folder)).toMatchObject({ code: 1, events: 0 });
});

test('what was exported is proven to be the beginning of a head that was signed of more', async () => {
  const leaves: Uint8Array[] = [];
  for await (const record of audited.log.readAll()) leaves.push(leafOf(record));
  const before = await headBefore(pool, origin);
  for (const size of [1, 2, 255, 256, 257, 511, 699, 700]) {
    const tree = new CopiedTree();
    for (const leaf of leaves.slice(0, size)) tree.append(leaf);
    const covering = await coveringHead(pool, tree, origin, before);
    if (!covering) throw new Error(`no head covers ${size} events`);
    expect(covering).toMatchObject({ fits: true, head: { size: signed } });
    expect(isConsistent({ size, root: tree.root() }, covering.head, covering.consistency)).toBe(true);
  }
});
