import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  befriended,
  inOrder,
  insist,
  listen,
  patiently,
  received,
  Sending,
} from '../support/conversation.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { shareEnvironment, startApi } from '../support/many.ts';
import { natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { startStandalone } from '../support/standalone.ts';
import { checkOut, versionBefore } from '../support/version-before.ts';

test.skipIf(!natsServerIsInstalled || versionBefore === undefined)(
  'the version before the latest migration goes on beside this one, and can be started again beside its tables (needs nats-server, the history of git)',
  { timeout: 120_000 },
  async () => {
    const nats = await natsServer();
    await nats.start();
    onTestFinished(() => nats.kill());
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    const shared = { ...(await shareEnvironment(nats)), DATABASE_URL: database.url };
    const folder = await checkOut(versionBefore ?? '', onTestFinished);
    const startFormer = async () =>
      startStandalone(
        await temporaryFolder(),
        shared,
        onTestFinished,
        join(folder, 'services/standalone.ts'),
      );
    const former = await startFormer();
    const [tom, jerry] = await befriended(former);
    const client = await listen(former, jerry);
    const sendings = [new Sending(former, tom, jerry, 'former', insist)];
    await sendings[0]?.more(5);
    const latter = await startApi(shared);
    sendings.push(new Sending(latter, tom, jerry, 'latter', insist));
    const clients = [client, await listen(latter, jerry)];
    await Promise.all(sendings.map((sending) => sending.more(10)));
    expect((await fetch(`${former.url}/ready`)).status).toBe(200);
    for (const sending of sendings) await sending.stop();
    const all = sendings.flatMap(({ acknowledged }) => acknowledged);
    await vi.waitUntil(() => received(client).length >= all.length, patiently);
    for (const each of clients) {
      await each.caughtUp();
      expect(inOrder(each)).toBe(true);
    }
    for (const sending of sendings) expect(sending.receivedBy(client)).toEqual(sending.acknowledged);
    // Versions before that one refused all tables that they did not know.
    if (!existsSync(join(folder, 'projections/schema-fit.ts'))) return;
    const again = await startFormer();
    await expect.poll(() => fetch(`${again.url}/ready`).then(({ status }) => status), patiently).toBe(200);
    expect(await (await fetch(`${again.url}/ready`)).json()).toMatchObject({
      parts: { tables: { ready: true, newer: expect.any(String) } },
    });
    await insist(again, tom, jerry, 'again');
  },
);
