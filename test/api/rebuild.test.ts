import { setImmediate as nextTurn } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Comparison } from '../../projections/rebuild/comparison.ts';
import { rebuild } from '../../projections/rebuild/rebuild.ts';
import { silent } from '../support/accounts.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { type Person, person, two } from '../support/client.ts';
import { EventStoreDBDouble } from '../support/eventstoredb-double.ts';

async function rebuilt(running: RunningApplication): Promise<Comparison> {
  const result = await rebuild({
    ...{ log: running.application.log, database: running.databaseUrl, logger: silent, patient: false },
    version: 'of the test',
    maxDifferences: 10,
    signal: AbortSignal.timeout(60_000),
  });
  if (typeof result === 'string') throw new Error(result);
  return result;
}

async function query({ databaseUrl }: RunningApplication, text: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

const Mid = z.object({ mid: z.int() });
const History = z.array(z.looseObject({ content: z.string() }));
const Chats = z.looseObject({ chatting: z.record(z.string(), z.looseObject({ name: z.string() })) });

/** Sends one message after the other until the signal; each must be in the read models before the next. */
async function talk(from: Person, to: Person, stop: AbortSignal): Promise<number> {
  let sent = 0;
  for (; !stop.aborted; sent++) {
    const content = `${from.uid} ${sent}`;
    const answer = await from.post('/message/send', { to: to.uid, type: 'friend', content });
    expect(answer).toMatchObject({ code: 0 });
    Mid.parse(answer.data);
    // An answer waits for the read models for up to 2 s: after a switch on a busy machine that may not be enough.
    const newest = async () => {
      const shown = await to.get('/message/get', { id: from.uid, type: 'friend', limit: 1 });
      return History.parse(shown.data).map((message) => message.content);
    };
    await expect.poll(newest).toEqual([content]);
  }
  return sent;
}

async function startDouble(): Promise<string> {
  const double = new EventStoreDBDouble();
  await double.start();
  onTestFinished(() => double.kill());
  return double.url;
}

const real = process.env.EVENTSTORE_URL;

describe.for<readonly [string, boolean, () => Promise<string | undefined>]>([
  ['Postgres', false, async () => undefined],
  ['EventStoreDB (a double)', false, startDouble],
  ['EventStoreDB (needs EVENTSTORE_URL)', real === undefined, async () => real],
])('a rebuild while the system is in use, with its log in %s', ([, skip, eventStore]) => {
  it.skipIf(skip)(
    'fails no request, loses no message, and shows every statement one of the two sets',
    async () => {
      const running = await startApplication({ eventStoreUrl: await eventStore() });
      onTestFinished(() => running.stop());
      const [tom, jerry] = await two(running);
      const [spike, tyke] = [await person(running, 'spike'), await person(running, 'tyke')];
      await tom.post('/group/create', { members: [jerry.uid, spike.uid] });
      await spike.post('/message/send', { to: jerry.uid, type: 'friend', content: 'hi' });
      await running.shown();
      // The set that is served first is wrong in two tables, so that an answer shows from which set it is.
      await query(
        running,
        `update read.users set nickname = 'wrong ' || nickname; update read.groups set name = 'wrong ' || name`,
      );

      const stop = new AbortController();
      const names = async () => {
        const seen = new Set<string>();
        while (!stop.signal.aborted) {
          const { data } = await jerry.get('/pop/get');
          const chats = Object.values(Chats.parse(data).chatting).map(({ name }) => name);
          const wrong = chats.filter((name) => name.startsWith('wrong '));
          seen.add(
            wrong.length === 0 ? 'right' : wrong.length === chats.length ? 'wrong' : `mixed: ${chats}`,
          );
          await nextTurn();
        }
        return [...seen];
      };
      const talks = [talk(tom, jerry, stop.signal), talk(spike, tyke, stop.signal)];
      const seen = Promise.all([names(), names(), names()]);
      try {
        const first = await rebuilt(running);
        expect(first.counts).toEqual({ users: 4, groups: 1 });
        for (let times = 0; times < 3; times++) expect((await rebuilt(running)).counts).toEqual({});
      } finally {
        stop.abort();
      }
      expect((await seen).flat().toSorted()).toEqual(['right', 'right', 'right', 'wrong', 'wrong', 'wrong']);
      const sent = (await Promise.all(talks)).reduce((sum, count) => sum + count, 0);
      expect(sent).toBeGreaterThan(20);
    },
    120_000,
  );
});
