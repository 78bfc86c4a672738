import { expect, onTestFinished, test, vi } from 'vitest';
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
import { startReplicatedPostgres } from '../support/postgres-replica.ts';
import { startDatabaseProxy } from '../support/proxy.ts';
import { startStandalone } from '../support/standalone.ts';

test('a program goes on by itself on the replica of a Postgres that was lost: nothing acknowledged is missing, no push comes twice', {
  timeout: 120_000,
}, async () => {
  const postgres = await startReplicatedPostgres(onTestFinished);
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
