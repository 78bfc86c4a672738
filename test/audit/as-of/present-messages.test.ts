import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readModelCategories } from '../../../contracts/events/index.ts';
import { firstReplacedMid, Gid, groupConversation, Mid, Uid } from '../../../contracts/ids.ts';
import { readModelsVersion } from '../../../projections/rebuild/version.ts';
import { answerQuery } from '../../../services/api/past/query.ts';
import { withPastSchemas } from '../../../services/audit/as-of/past-schemas.ts';
import { parseQuery } from '../../../services/audit/as-of/query.ts';
import { startAuditor } from '../../../services/audit/auditor.ts';
import { conversationStream } from '../../../services/domain/conversation.ts';
import { encode } from '../../../services/log/codec.ts';
import type { EventLog, Position } from '../../../services/log/log.ts';
import { skipStream } from '../../../services/log/skips.ts';
import { silent } from '../../support/accounts.ts';
import { type RunningApplication, startApplication } from '../../support/application.ts';
import { pastParts } from '../../support/asking-the-past.ts';
import { createGroup, type Person, three } from '../../support/client.ts';
import { momentAfterPosition } from '../../support/explaining.ts';
import { newEventId } from '../../support/projecting.ts';
import { sayVersionOfReadModels } from '../../support/read-models-version.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

let running: RunningApplication;
let tom: Person;
let gid: number;
let position: Position;
let stopAuditor: () => Promise<void>;

const sent = 2_000;

/** A group of which 2,000 messages were said before tom read it, and more after the moment that is asked about. */
beforeAll(async () => {
  running = await startApplication();
  const { log } = running.application;
  const auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
  stopAuditor = () => auditor.stop();
  const [one, jerry] = await three(running);
  tom = one;
  gid = await createGroup(tom, jerry);
  await say(jerry, sent);
  await running.shown();
  await tom.post('/message/updateLastReadTime', { id: gid, type: 'group' });
  await tom.post('/message/send', { to: gid, type: 'group', content: '好' });
  await jerry.post('/message/send', { to: gid, type: 'group', content: '再见' });
  position = await log.end();
  await say(jerry, 10);
  await running.shown();
  const end = await log.end();
  await vi.waitUntil(() => auditor.status().checkpoint >= end, { timeout: 20_000 });
}, 60_000);
afterAll(async () => {
  await stopAuditor();
  await running.stop();
});
beforeEach(async () => sayVersionOfReadModels(running, await readModelsVersion()));

/** Appends messages of a person to the group. */
async function say({ uid }: Person, count: number): Promise<void> {
  const conversation = groupConversation(Gid.parse(gid));
  const events = Array.from({ length: count }, (_, index) => {
    const id = newEventId();
    const data = {
      conversation,
      mid: Mid.parse(10_000_000 + 10_000 * count + index),
      from: Uid.parse(uid),
      content: `第${index}条`,
    };
    const metadata = { time: Date.now(), actor: String(uid), $correlationId: id, $causationId: id };
    return encode(id, { type: 'MessageSent', data }, metadata);
  });
  for (let first = 0; first < count; first += 500) {
    const [next, ...others] = events.slice(first, first + 500);
    if (next)
      await running.application.log.append(conversationStream(conversation), 'any', [next, ...others]);
  }
}

const query = (text: string, values: readonly unknown[] = []) =>
  running.application.pool.query(text, [...values]);

/**
 * Asks a query of the moment.
 * @returns the answer, how many events were applied, whether what was said was replayed, and whether messages were lost
 */
async function ask(
  words: string,
  { log = running.application.log, keep = false, fromLog = false, at = position } = {},
) {
  let [applied, replayed, lost] = [0, false, false];
  const observed: EventLog = wrapLog(log, {
    readStreams: (streams, options) => {
      replayed ||= streams.some((stream) => stream.startsWith('conversation-'));
      return log.readStreams(streams, options);
    },
  });
  const parts = pastParts(running.application, {
    ...{ log: observed, keep, fromLog },
    onApplied: (events) => {
      applied += events;
    },
    onLost: () => {
      lost = true;
    },
  });
  const moment = await momentAfterPosition(running, at);
  const answer = await answerQuery(parts, parseQuery(words.split(' ')), moment);
  return { answer, applied, replayed, lost };
}

const home = () => `pop/get --login_uid ${tom.uid}`;
const page = () => `message/get --login_uid ${tom.uid} --id ${gid} --type group --limit 5`;

/** Of the read models that are made by replaying what was said. */
async function replayedAnswer(words: string): Promise<string> {
  await sayVersionOfReadModels(running, null);
  const { answer, applied, replayed } = await ask(words);
  expect(replayed).toBe(true);
  expect(applied).toBeGreaterThan(sent);
  await sayVersionOfReadModels(running, await readModelsVersion());
  return answer;
}

test('of 2,000 messages that follow each other a few are applied, and the answer is the same', async () => {
  for (const words of [
    home(),
    page(),
    `message/unreadcount --login_uid ${tom.uid} --id ${gid} --type group`,
  ]) {
    const answer = await replayedAnswer(words);
    const found = await ask(words);
    expect(found).toMatchObject({ answer, replayed: false });
    expect(found.applied).toBeLessThan(100);
  }
});

test('read models that are kept for the home page have all messages', async () => {
  onTestFinished(() =>
    withPastSchemas(running.databaseUrl, async (schemas) => {
      for (const each of await schemas.kept()) await schemas.dropKept(each);
    }),
  );
  const answer = await replayedAnswer(page());
  expect(await ask(home(), { keep: true })).toMatchObject({ replayed: false });
  expect(await ask(page(), { keep: true })).toEqual({ answer, applied: 0, replayed: false, lost: false });
});

test('what was said is replayed if the present read models lose it meanwhile', async () => {
  const answer = await replayedAnswer(home());
  const { log } = running.application;
  let changed = false;
  const changing = wrapLog(log, {
    async *readEvents(places) {
      if (!changed) await query(`update followers.checkpoint set epoch = 'another' where name = 'read'`);
      changed = true;
      yield* log.readEvents(places);
    },
  });
  const epoch = (await log.identity())?.epoch;
  onTestFinished(async () => {
    await query(`update followers.checkpoint set epoch = $1 where name = 'read'`, [epoch]);
  });
  expect(await ask(home(), { log: changing })).toMatchObject({ answer, replayed: true });
  const { rows } = await query(`select nspname from pg_namespace where nspname like 'as\\_of\\_%'`);
  expect(rows).toEqual([]);
});

test('what was said is replayed if a mid was given twice', async () => {
  const answer = await replayedAnswer(home());
  const { rows } = await query('select max(mid) as mid from read.messages');
  const [{ mid }] = rows;
  const change = (from: unknown, to: unknown) =>
    query('update read.messages set mid = $2 where mid = $1', [from, to]);
  await change(mid, firstReplacedMid);
  onTestFinished(async () => {
    await change(firstReplacedMid, mid);
  });
  expect(await ask(home())).toMatchObject({ answer, replayed: true });
});

describe('if the tables were changed by hand', () => {
  /** Changes tables for one test. */
  async function change(table: string, statement: string): Promise<void> {
    await query(`create table before_change as select * from ${table}`);
    onTestFinished(async () => {
      await query(`delete from ${table}`);
      await query(`insert into ${table} select * from before_change`);
      await query('drop table before_change');
    });
    await query(statement);
  }
  const sequenceOf = async (content: string) => {
    const { rows } = await query('select sequence from read.messages where content = $1', [content]);
    return Number(rows[0].sequence);
  };

  test('a message that is missing among those that are shown is taken from the log', async () => {
    const answer = await replayedAnswer(page());
    const missing = (await sequenceOf('再见')) - 2;
    await change('read.messages', `delete from read.messages where sequence = ${missing}`);
    expect(await ask(page())).toMatchObject({ answer, replayed: true, lost: true });
  });

  test('the last message, if it is missing, is taken from the log, also for a list of chats', async () => {
    const answer = await replayedAnswer(home());
    await change('read.messages', `delete from read.messages where content = '再见'`);
    expect(await ask(home())).toMatchObject({ answer, replayed: true, lost: true });
  });

  test('from the log alone the answer is what was said, whatever they hold', async () => {
    const answer = await replayedAnswer(page());
    await change('read.messages', `update read.messages set content = '从未说过' where content = '再见'`);
    expect((await ask(page())).answer).toContain('从未说过');
    await query('create table index_before as select * from audit.events');
    onTestFinished(async () => {
      await query('insert into audit.events select * from index_before');
      await query('drop table index_before');
    });
    await query('delete from audit.events');
    const found = await ask(page(), { fromLog: true });
    expect(found.answer).toBe(answer);
    expect(found.applied).toBeGreaterThan(sent);
  });

  test('from the log alone the answer of now is what is so, and a username leads to its person', async () => {
    const { rows } = await query('select username from read.users where uid = $1', [tom.uid]);
    const at = await running.application.log.end(readModelCategories);
    const words = `user/get --username ${rows[0].username}`;
    const { answer } = await ask(words, { at });
    await change('read.users', `update read.users set nickname = '伪造' where uid = ${tom.uid}`);
    expect((await ask(words, { at })).answer).toContain('伪造');
    expect((await ask(words, { at, fromLog: true })).answer).toBe(answer);
  });

  test('from the log alone nothing is answered from read models that were kept, but of the whole log', async () => {
    onTestFinished(() =>
      withPastSchemas(running.databaseUrl, async (schemas) => {
        for (const each of await schemas.kept()) await schemas.dropKept(each);
      }),
    );
    await ask(page(), { keep: true });
    expect((await ask(page(), { keep: true, fromLog: true })).applied).toBeGreaterThan(sent);
    expect((await ask(page(), { keep: true, fromLog: true })).applied).toBe(0);
    expect((await ask(page(), { fromLog: true })).applied).toBeGreaterThan(sent);
  });
});

test('what was said is replayed once an event was skipped', async () => {
  const answer = await replayedAnswer(home());
  const id = newEventId();
  const data = { stream: 'user-1', eventId: id, revision: 9, type: 'ProfileChanged', why: 'a test' };
  const metadata = { time: Date.now(), actor: 'server', $correlationId: id, $causationId: id };
  await running.application.log.append(skipStream, 'any', [
    encode(id, { type: 'EventSkipped', data }, metadata),
  ]);
  expect(await ask(home())).toMatchObject({ answer, replayed: true });
});
