import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { history } from '../../scripts/seed/history.ts';
import { type Auditor, startAuditor } from '../../services/audit/auditor.ts';
import { auditorName } from '../../services/audit/index/audit-task.ts';
import { leafHash, sameHash } from '../../services/audit/tree/hashes.ts';
import { HeadSigning } from '../../services/audit/tree/head-signing.ts';
import { Heads, openHead, signHead } from '../../services/audit/tree/heads.ts';
import { signingKey, verifierOf } from '../../services/audit/tree/note.ts';
import { rootOf } from '../../services/audit/tree/proofs.ts';
import { hashesIn, pathOf, subtreesIn } from '../../services/audit/tree/tiles.ts';
import { treeConsumer } from '../../services/audit/tree/tree-consumer.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import { silent } from '../support/accounts.ts';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { client } from '../support/client.ts';

const signer = { name: 'bubble-im/test', key: signingKey(randomBytes(32)) };
const events = 300;
let running: RunningApplication;
let auditor: Auditor;
let signing: HeadSigning;
beforeAll(async () => {
  running = await startApplication({ auditVerifier: verifierOf(signer) });
  const { log, pool: database } = running.application;
  const options = { log, logger: silent, database: running.databaseUrl, consumers: [treeConsumer] };
  auditor = await startAuditor(options);
  signing = new HeadSigning({ log, database, signer, follower: auditorName, logger: silent, everyMs: 20 });
  signing.start();
  await appendInOrder(log, history({ events, seed: 'served' }), () => undefined);
  await vi.waitUntil(() => signing.status().size === events, { timeout: 15_000 });
});
afterAll(async () => {
  await signing.stop();
  await auditor.stop();
  await running.stop();
});

const get = (path: string, headers: Readonly<Record<string, string>> = serverKey) =>
  running.server.inject({ method: 'GET', url: `/audit/log/${path}`, headers });

test('the tree of the log is served to the server’s key as other tools read it', async () => {
  const checkpoint = await get('checkpoint');
  expect(checkpoint.headers['content-type']).toBe('text/plain; charset=utf-8');
  const head = openHead(checkpoint.body, verifierOf(signer));
  expect(head.size).toBe(events);
  const tiles = subtreesIn(async (level, index, width) => {
    // A log serves the tiles that its head has.
    const whole = level === 0 ? events - index * 256 : Math.floor(events / 256);
    const answer = await get(pathOf({ level, index, width: Math.min(256, whole) }));
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    return hashesIn(answer.rawPayload).slice(0, width);
  });
  expect(sameHash(await rootOf(tiles, events), head.root)).toBe(true);
  const bundle = (await get('tile/entries/000')).rawPayload;
  const [first] = hashesIn((await get('tile/0/000')).rawPayload);
  const entry = bundle.toString('utf8', 2, 2 + bundle.readUInt16BE());
  expect(JSON.parse(entry)).toMatchObject({ stream: 'setting', revision: 0, type: 'SettingsChanged' });
  expect(first && sameHash(leafHash(entry), first)).toBe(true);
  expect((await get('tile/0/000')).headers['cache-control']).toContain('immutable');
});

test('no head of another name is served, and none that another key has signed', async () => {
  const { pool } = running.application;
  const { rows } = await pool.query('delete from audit.heads returning origin, size, note');
  onTestFinished(async () => {
    await pool.query('delete from audit.heads');
    for (const { origin, size, note } of rows) await new Heads(pool, origin).add(size, note);
  });
  const foreign = { name: 'bubble-im/foreign', key: signingKey(randomBytes(32)) };
  const head = { size: events, root: Buffer.alloc(32) };
  await new Heads(pool, foreign.name).add(head.size, signHead(foreign, head));
  expect((await get('checkpoint')).statusCode).toBe(404);
  await new Heads(pool, signer.name).add(head.size, signHead({ ...foreign, name: signer.name }, head));
  const { statusCode, body } = await get('checkpoint');
  expect(statusCode).toBe(500);
  expect(body).not.toContain('— ');
});

test('entries are compressed for who takes gzip, and for nobody else', async () => {
  const path = 'tile/entries/000';
  const plain = await get(path);
  expect(plain.headers['content-encoding']).toBeUndefined();
  const small = await get(path, { ...serverKey, 'accept-encoding': 'br, gzip' });
  expect(small.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(small.rawPayload).equals(plain.rawPayload)).toBe(true);
  const refused = await get(path, { ...serverKey, 'accept-encoding': 'gzip;q=0' });
  expect(refused.rawPayload.equals(plain.rawPayload)).toBe(true);
});

test.each([
  'tile/0/002',
  'tile/0/001',
  'tile/0/001.p/45',
  'tile/7/000',
  'tile/0/0',
  'tile/x',
  'tile/0/000.p/300',
])('there is no %s in it', async (path) => {
  expect((await get(path)).statusCode).toBe(404);
});

test('nobody else gets it', async () => {
  const tom = await client(running, 'tom');
  expect(tom.uid).toBeGreaterThan(0);
  for (const headers of [
    {},
    { 'x-app-key': 'wrong', 'x-app-secret': 'wrong' },
    { authorization: 'Bearer x' },
  ]) {
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000']) {
      const { body, statusCode } = await get(path, headers);
      // What reads tiles takes every 200 for one.
      expect(statusCode).toBe(403);
      expect(body).not.toContain('bubble-im/test');
    }
  }
});

test('no tile is served that was changed since it became full', async () => {
  const { pool } = running.application;
  const { rows } = await pool.query<{ type: string }>('select type from audit.events where number = 17');
  onTestFinished(async () => {
    await pool.query('update audit.events set type = $1 where number = 17', [rows[0]?.type]);
  });
  await pool.query(`update audit.events set type = 'AccountDisabled' where number = 17`);
  for (const path of ['tile/entries/000', 'tile/0/000']) {
    const { statusCode, headers } = await get(path);
    expect({ path, statusCode }).toEqual({ path, statusCode: 500 });
    expect(headers['cache-control']).toBe('no-store');
  }
});
