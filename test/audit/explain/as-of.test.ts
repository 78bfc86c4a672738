import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Chat } from '../../../contracts/chat.ts';
import { conversationParties, type Gid, type Uid } from '../../../contracts/ids.ts';
import { Random } from '../../../scripts/fuzz/random.ts';
import { history } from '../../../scripts/seed/history.ts';
import { answerQuery } from '../../../services/api/past/query.ts';
import { friendshipsOf, friendsThen } from '../../../services/audit/as-of/friends.ts';
import { parseQuery } from '../../../services/audit/as-of/query.ts';
import { groupThen, personThen } from '../../../services/audit/as-of/states.ts';
import { explain } from '../../../services/audit/explain/explain.ts';
import { findInLog } from '../../../services/audit/explain/message-in-log.ts';
import { parseQuestion } from '../../../services/audit/explain/question.ts';
import { type Moment, momentAfter } from '../../../services/audit/moment.ts';
import { NotFound } from '../../../services/audit/not-found.ts';
import { appendInOrder } from '../../../services/log/append-in-order.ts';
import { decode } from '../../../services/log/codec.ts';
import { startOfLog } from '../../../services/log/log.ts';
import { createPool } from '../../../services/postgres/pool.ts';
import { silent } from '../../support/accounts.ts';
import { pastParts } from '../../support/asking-the-past.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { gid, uid } from '../../support/events.ts';

/*
 * What explaining says of a moment is what as-of says of it: of a made-up history, at random moments and about random
 * people, groups and messages.
 */

const seed = 'explained';
const events = 3_000;
const moments = 4;
const questionsOfEachKind = 7;
let world: AuditedLog;
let pool: Pool;
beforeAll(async () => {
  world = await auditedLogs[0][1]();
  pool = createPool(world.url, silent);
  await appendInOrder(world.log, history({ events, seed }), () => undefined);
});
afterAll(async () => {
  await pool.end();
  await world.close();
});

/** What was so, or `missing` if who or what is asked about was not there. */
type Answer = boolean | number | 'missing';

async function unlessMissing<Given extends Answer>(answer: () => Promise<Given>): Promise<Given | 'missing'> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof NotFound) return 'missing';
    throw error;
  }
}

function explained(question: string, moment: Moment): Promise<Answer> {
  const { log } = world;
  const parts = {
    log,
    findOrigin: (mid: Parameters<typeof findInLog>[1]) => findInLog(log, mid, startOfLog),
  };
  return unlessMissing(async () => {
    const { verdict } = await explain(parts, parseQuestion(question.split(' ')), moment);
    if (verdict === undefined) throw new Error(`${question} has no verdict`);
    return verdict.value;
  });
}

const Answered = z.object({ code: z.int(), data: z.unknown() });

/** What the API answered at a moment. */
async function answered(moment: Moment, query: string) {
  const parts = pastParts({ log: world.log, pool }, { host: 'localhost', keep: true });
  return Answered.parse(JSON.parse(await answerQuery(parts, parseQuery(query.split(' ')), moment)));
}

/** Whom and what the history knows at its end. */
async function known() {
  const people: number[] = [];
  const groups: number[] = [];
  const messages = [];
  const records = [];
  for await (const record of world.log.readAll({})) {
    const { type, data } = decode(record);
    records.push(record);
    if (type === 'UserRegistered') people.push(data.uid);
    if (type === 'GroupCreated') groups.push(data.gid);
    if (type === 'MessageSent')
      messages.push({ mid: data.mid, parties: conversationParties(data.conversation), sent: record });
  }
  return { people, groups, messages, records };
}

const Messages = z.array(z.object({ mid: z.int(), sub_type: z.string() }));

/** Whether a person was shown a message in the history of a chat, all of whose pages are read. */
async function isShown(moment: Moment, chat: string, mid: number): Promise<boolean> {
  for (let before = ''; ; ) {
    const { code, data } = await answered(moment, `message/get ${chat} --limit 100${before}`);
    if (code !== 0) return false;
    const page = Messages.parse(data);
    if (page.some((message) => message.mid === mid)) {
      return page.some((message) => message.mid === mid && message.sub_type === 'message');
    }
    const oldest = Math.min(...page.map((message) => message.mid));
    if (page.length < 100) return false;
    before = ` --mid ${oldest}`;
  }
}

/** A question about random people, groups and messages, and what as-of answers to it. */
type Ask = (moment: Moment) => { readonly question: string; readonly asOf: () => Promise<Answer> };

async function questions(
  random: Random,
): Promise<{ readonly asks: readonly Ask[]; readonly moment: () => Moment }> {
  const { people, groups, messages, records } = await known();
  const { log } = world;
  const person = () => uid(random.pick(people));
  const group = () => gid(random.pick(groups));
  const pair = () => {
    const one = person();
    return [one, uid(random.pick(people.filter((other) => other !== one)))] as const;
  };
  const memberThen = async (who: Uid, where: Gid, moment: Moment) => {
    await personThen(log, who, moment);
    return (await groupThen(log, where, moment)).members.find((member) => member.uid === who);
  };
  const unread = async (moment: Moment, who: Uid, type: Chat['type'], id: number) => {
    await personThen(log, who, moment);
    await (type === 'group' ? groupThen(log, gid(id), moment) : personThen(log, uid(id), moment));
    const { code, data } = await answered(
      moment,
      `message/unreadcount --login_uid ${who} --type ${type} --id ${id}`,
    );
    return code === 0 ? z.int().parse(data) : 0;
  };
  return {
    moment: () => momentAfter(random.pick(records)),
    asks: [
      (moment) => {
        const who = person();
        const asOf = async () => (await personThen(log, who, moment)).account_state === 'normal';
        return { question: `account ${who}`, asOf };
      },
      (moment) => {
        const [one, other] = pair();
        const asOf = async () => {
          await personThen(log, other, moment);
          const friends = await friendsThen(
            log,
            one,
            await friendshipsOf(log, undefined, one, moment),
            moment,
          );
          return friends.some((friend) => friend.uid === other);
        };
        return { question: `friends ${one} ${other}`, asOf };
      },
      (moment) => {
        const [who, where] = [person(), group()];
        const asOf = async () => (await memberThen(who, where, moment)) !== undefined;
        return { question: `member ${who} ${where}`, asOf };
      },
      (moment) => {
        const [who, where] = [person(), group()];
        const asOf = async () =>
          ['owner', 'manager'].includes((await memberThen(who, where, moment))?.role ?? '');
        return { question: `manager ${who} ${where}`, asOf };
      },
      (moment) => {
        const [who, where] = [person(), group()];
        const asOf = async () => {
          const member = await memberThen(who, where, moment);
          const { state, muted } = await groupThen(log, where, moment);
          const silent = member?.role === 'member' && (muted || member.muted_until > 0);
          const { account_state } = await personThen(log, who, moment);
          return member !== undefined && state === 'normal' && account_state === 'normal' && !silent;
        };
        return { question: `can-speak ${who} group ${where}`, asOf };
      },
      (moment) => {
        const [one, other] = pair();
        return {
          question: `unread ${one} friend ${other}`,
          asOf: () => unread(moment, one, 'friend', other),
        };
      },
      (moment) => {
        const [who, where] = [person(), group()];
        return { question: `unread ${who} group ${where}`, asOf: () => unread(moment, who, 'group', where) };
      },
      (moment) => {
        const { mid, parties, sent } = random.pick(messages);
        const who = parties.type === 'group' || random.chance(0.1) ? person() : random.pick(parties.uids);
        const asOf = async () => {
          await personThen(log, who, moment);
          if (!moment.includes(sent)) return 'missing';
          const other = parties.type === 'friend' ? parties.uids.find((one) => one !== who) : parties.gid;
          if (parties.type === 'friend' && !parties.uids.includes(who)) return false;
          return isShown(moment, `--login_uid ${who} --type ${parties.type} --id ${other}`, mid);
        };
        return { question: `visible ${mid} to ${who}`, asOf };
      },
    ],
  };
}

test('what is explained of random moments of a long history is what as-of answers about them', async () => {
  const { asks, moment } = await questions(new Random(seed));
  const seen = new Map<Answer, number>();
  for (let count = 0; count < moments; count++) {
    const then = moment();
    for (const ask of asks) {
      for (let asked = 0; asked < questionsOfEachKind; asked++) {
        const { question, asOf } = ask(then);
        const answer = await unlessMissing(asOf);
        expect({ question, at: then.name, answer: await explained(question, then) }).toEqual({
          ...{ question, at: then.name, answer },
        });
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
    }
  }
  expect(
    Math.min(...[true, false, 'missing' as const].map((answer) => seen.get(answer) ?? 0)),
  ).toBeGreaterThan(5);
}, 120_000);
