import { randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { Heads, signHead } from '../../../services/audit/tree/heads.ts';
import { type NoteSigner, signingKey, verifierKey, verifierOf } from '../../../services/audit/tree/note.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { openPostgresLog } from '../../../services/log/postgres/postgres-log.ts';
import { audit } from '../../support/audited-tree.ts';
import { openEventStoreDB } from '../../support/auditing.ts';
import { createEmptyDatabase } from '../../support/database.ts';
import { between, sent } from '../../support/events.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { newEventId } from '../../support/projecting.ts';
import { appendUnder } from '../../support/repeated-ids.ts';
import { runScript } from '../../support/script.ts';

const auditKey = randomBytes(32);
const origin = 'bubble-im/test';
const signer: NoteSigner = { name: origin, key: signingKey(auditKey) };
const ours = { AUDIT_KEY: auditKey.toString('base64'), AUDIT_ORIGIN: origin };
const nowhere = { DATA_DIR: '/nonexistent', LOG_LEVEL: 'error' };
const talk = between(1, 2);
const stream = 'conversation-f1-2';

/** An audited log with a signed head, of whose messages two have the id of the first: one as it was, one with other words. */
async function openRepeated({ goesOn }: { readonly goesOn: boolean }) {
  const world = await openEventStoreDB();
  const pool = new Pool({ connectionString: world.url });
  onTestFinished(async () => {
    await pool.end();
    await world.close();
  });
  const id = newEventId();
  await world.append(sent(talk, 1, 10, '甲'), { id });
  await world.append(sent(talk, 2, 11, '乙'));
  await appendUnder(world, id, sent(talk, 1, 10, '甲'));
  await appendUnder(world, id, sent(talk, 1, 10, '丙'));
  if (goesOn) await world.append(sent(talk, 2, 12, '丁'));
  await audit(world);
  const size = goesOn ? 3 : 2;
  const note = signHead(signer, { size, root: await new TreeStore(pool).root(size) });
  await new Heads(pool, origin).add(size, note);
  return {
    size,
    exportTo: (to: string) =>
      runScript('export', ['--to', to], { ...nowhere, ...world.environment, ...ours }),
  };
}

async function emptyDatabase(): Promise<string> {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

async function revisionsIn(database: string): Promise<string[]> {
  const log = await openPostgresLog({ connectionString: database });
  const events = await Array.fromAsync(log.readAll());
  await log.close();
  return events.map(({ stream: name, revision }) => `${name}@${revision}`);
}

const importInto = (database: string, folder: string) =>
  runScript('import', ['--from', folder, '--verifier', verifierKey(verifierOf(signer))], {
    ...{ ...nowhere, DATABASE_URL: database },
  });

test('a log that holds an id again is exported with its proof, without that, which is named', async () => {
  const { size, exportTo } = await openRepeated({ goesOn: false });
  const folder = await temporaryFolder();
  const ended = await exportTo(folder);
  expect(ended).toMatchObject({ code: 0 });
  expect(ended.stdout).toMatch(
    RegExp(`^${size} events are in the copy.*\nA head that ${origin} signed covers all of them`),
  );
  const [count, named, ...more] = ended.stderr.trimEnd().split('\n');
  expect(count).toMatch(
    /^export: 2 events are not copied, since their stream has an earlier one of the same id/,
  );
  expect(named).toMatch(`export: this is not copied: ${stream}@3 (MessageSent, recorded `);
  expect(named).toContain(`has the id of ${stream}@0, and is not the same`);
  expect(more).toEqual([]);
  const database = await emptyDatabase();
  expect(await importInto(database, folder)).toMatchObject({ code: 0, stderr: '', stdout: ended.stdout });
  expect(await revisionsIn(database)).toEqual([`${stream}@0`, `${stream}@1`]);
});

test('what is exported of a stream that goes on behind such an event no store can hold, which import says first', async () => {
  const { exportTo } = await openRepeated({ goesOn: true });
  const folder = await temporaryFolder();
  expect(await exportTo(folder)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`A head that ${origin} signed covers all of them`),
  });
  const database = await emptyDatabase();
  const pool = new Pool({ connectionString: database });
  onTestFinished(() => pool.end());
  const refused = `${stream}@4 would be @2 in another store, as an event before it is missing`;
  const imported = await importInto(database, folder);
  expect(imported).toMatchObject({ code: 1, stderr: expect.stringContaining(refused) });
  const { rows } = await pool.query(`select to_regclass('log.events') is not null as made`);
  expect(rows).toEqual([{ made: false }]);
  const copied = await exportTo(database);
  expect(copied).toMatchObject({ code: 1, stderr: expect.stringContaining(refused) });
  expect(copied.stderr).toContain(`export: this is not copied: ${stream}@3 (MessageSent, recorded `);
});
