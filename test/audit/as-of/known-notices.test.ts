import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { readModelsVersion } from '../../../projections/rebuild/version.ts';
import { answerQuery } from '../../../services/api/past/query.ts';
import { parseQuery } from '../../../services/audit/as-of/query.ts';
import { startAuditor } from '../../../services/audit/auditor.ts';
import type { Position } from '../../../services/log/log.ts';
import { silent } from '../../support/accounts.ts';
import { type RunningApplication, startApplication } from '../../support/application.ts';
import { pastParts } from '../../support/asking-the-past.ts';
import { createGroup, inTurn, type Person, three } from '../../support/client.ts';
import { momentAfterPosition } from '../../support/explaining.ts';
import { sayVersionOfReadModels } from '../../support/read-models-version.ts';

let running: RunningApplication;
let tom: Person;
let jerry: Person;
let spike: Person;
let gid: number;
let stopAuditor: () => Promise<void>;

beforeAll(async () => {
  running = await startApplication();
  const { log } = running.application;
  const auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
  stopAuditor = () => auditor.stop();
  [tom, jerry, spike] = await three(running);
  gid = await createGroup(tom, jerry, spike);
});
afterAll(async () => {
  await stopAuditor();
  await running.stop();
});

const say = (from: Person, content: string) =>
  from.post('/message/send', { to: gid, type: 'group', content });
const read = (who: Person) => who.post('/message/updateLastReadTime', { id: gid, type: 'group' });
/** Leaves two notices in the group, from its owner. */
async function muteAWhile(): Promise<void> {
  await tom.post('/group/forbiddenall', { gid, value: 1 });
  await tom.post('/group/forbiddenall', { gid, value: 0 });
}
/** The end of the log, once read models and index show it; something is said behind it. */
async function moment(): Promise<Position> {
  const { log } = running.application;
  const position = await log.end();
  await say(tom, '后来');
  await running.shown();
  const end = await log.end();
  await vi.waitUntil(
    async () => {
      const { rows } = await running.application.pool.query(
        `select position from followers.checkpoint where name = 'audit'`,
      );
      return rows[0]?.position >= end;
    },
    { timeout: 20_000 },
  );
  return position;
}

/** What a query of a moment is answered by applying few events, and by applying all; and how many these were. */
async function both(words: string, position: Position) {
  const ask = async () => {
    let applied = 0;
    const onApplied = (events: number) => {
      applied += events;
    };
    const parts = pastParts(running.application, { onApplied });
    const answer = await answerQuery(
      parts,
      parseQuery(words.split(' ')),
      await momentAfterPosition(running, position),
    );
    return { answer, applied };
  };
  await sayVersionOfReadModels(running, null);
  const all = await ask();
  await sayVersionOfReadModels(running, await readModelsVersion());
  return { all, few: await ask() };
}

const home = ({ uid }: Person) => `pop/get --login_uid ${uid}`;
const unread = ({ uid }: Person) => `message/unreadcount --login_uid ${uid} --id ${gid} --type group`;
const page = ({ uid }: Person) => `message/get --login_uid ${uid} --id ${gid} --type group --limit 20`;

async function expectSame(position: Position): Promise<void> {
  for (const who of [tom, jerry, spike]) {
    for (const query of [home, unread, page]) {
      const { all, few } = await both(query(who), position);
      expect(few.answer).toBe(all.answer);
    }
  }
}

test('the messages between notices that concern somebody else are not applied', async () => {
  await inTurn(20, async (index) => {
    await say(tom, `第${index}条`);
    await muteAWhile();
  });
  const position = await moment();
  const { all, few } = await both(home(jerry), position);
  expect(few.answer).toBe(all.answer);
  expect(few.applied).toBeLessThan(all.applied - 15);
  await expectSame(position);
});

test('of a chat that was read twice the first time is not applied', async () => {
  await inTurn(20, async (index) => {
    await say(tom, `读${index}`);
    await read(jerry);
  });
  const position = await moment();
  const { all, few } = await both(home(jerry), position);
  expect(few.answer).toBe(all.answer);
  expect(few.applied).toBeLessThan(all.applied - 30);
  await expectSame(position);
});

test('who comes back between notices has read what was there, and no more', async () => {
  await say(tom, '走吧');
  await read(spike);
  await muteAWhile();
  await spike.post('/group/leave', { gid: [gid] });
  await muteAWhile();
  await say(jerry, '走了');
  await tom.post('/group/memberadd', { gid, members: [spike.uid] });
  await muteAWhile();
  await say(jerry, '来了');
  await muteAWhile();
  await expectSame(await moment());
});

test('the last line is shown as it was: a notice, a name of then, a message taken back', async () => {
  await tom.post('/user/update', { nickname: '汤姆' });
  await muteAWhile();
  const named = await moment();
  await tom.post('/user/update', { nickname: 'tom' });
  const chat = { id: gid, type: 'group' };
  const [revoked, deleted, own] = await inTurn(3, async (index) =>
    z.object({ mid: z.int() }).parse((await say(jerry, `收回${index}`)).data),
  );
  await jerry.post('/message/revoke', { ...chat, ...revoked });
  await jerry.post('/message/delete', { ...chat, ...deleted, ty: 2 });
  await jerry.post('/message/delete', { ...chat, ...own, ty: 1 });
  await read(tom);
  await muteAWhile();
  const taken = await moment();
  await expectSame(named);
  await expectSame(taken);
});
