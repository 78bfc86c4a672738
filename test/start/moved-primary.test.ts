import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { saysAway } from '../../services/postgres/away.ts';
import { openPool } from '../../services/postgres/connect.ts';
import { app } from '../gateway/harness.ts';
import {
  befriended,
  inOrder,
  insist,
  listen,
  patiently,
  received,
  Sending,
} from '../support/conversation.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type ReplicatedPostgres, startReplicatedPostgres } from '../support/postgres-replica.ts';
import { startDatabaseProxy } from '../support/proxy.ts';
import { startStandalone } from '../support/standalone.ts';

describe('a Postgres with a replica', () => {
  const stops: (() => unknown)[] = [];
  let postgres: ReplicatedPostgres;
  beforeAll(async () => {
    postgres = await startReplicatedPostgres((stop) => void stops.push(stop));
  }, 60_000);
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  test('is not written over the replica: a pool that was led there goes on at the primary', async () => {
    const proxy = await startDatabaseProxy(postgres.url);
    const pool = openPool(
      proxy.url,
      { name: 'test', statementTimeoutMs: 5_000 },
      { max: 3, onBroken: () => undefined },
    );
    onTestFinished(() => pool.end());
    const write = () => pool.query('create table if not exists written ()');
    await write();
    proxy.redirect({ port: postgres.replicaPort });
    const refused: unknown = await vi.waitUntil(
      () =>
        write().then(
          () => undefined,
          (error: unknown) => error instanceof Error && /is a standby/.test(error.message) && error,
        ),
      patiently,
    );
    expect(saysAway(refused)).toBe(true);
    proxy.lead({ port: Number(new URL(postgres.url).port) });
    await write();
  });

  test('a program goes on by itself on the replica of a Postgres that was lost: nothing acknowledged is missing, no push comes twice', {
    timeout: 120_000,
  }, async () => {
    const proxy = await startDatabaseProxy(postgres.url);
    const program = await startStandalone(await temporaryFolder(), {
      DATABASE_URL: proxy.url,
      APP_KEY: app.key,
      APP_SECRET: app.secret,
    });
    const [tom, jerry] = await befriended(program);
    const client = await listen(program, jerry);
    const sending = new Sending(program, tom, jerry, 'message', insist);
    await sending.more(10);
    await postgres.failOver();
    proxy.redirect({ port: postgres.replicaPort });
    await sending.more(10);
    await sending.stop();
    await vi.waitUntil(() => received(client).length >= sending.acknowledged.length, patiently);
    await client.caughtUp();
    expect(received(client)).toEqual(sending.acknowledged);
    expect(inOrder(client)).toBe(true);
    expect(client.closed).toBeUndefined();
    const history = { login_uid: jerry.uid, id: tom.uid, type: 'friend', limit: 100 };
    const { data } = await program.call('/api/message/get', 'server', history);
    expect(data).toMatchObject(sending.acknowledged.map((content) => ({ content })));
    const ready = async () => (await fetch(`${program.url}/ready`)).status;
    await expect.poll(ready, patiently).toBe(200);
  });
});
