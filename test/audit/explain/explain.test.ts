import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Explanation } from '../../../services/audit/explain/explain.ts';
import { explanationLines } from '../../../services/audit/explain/text.ts';
import { momentAt } from '../../../services/audit/moment.ts';
import { type RunningApplication, startApplication } from '../../support/application.ts';
import { call, type Person, three } from '../../support/client.ts';
import { explained } from '../../support/explaining.ts';

const beginning = 1_700_000_000_000;
let now = beginning;
let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication({ now: () => now });
});

afterAll(() => running.stop());

let tom: Person;
let jerry: Person;
let spike: Person;
let gid: number;

/** Tom owns a group with Jerry; Spike is in no group. */
beforeEach(async () => {
  now = beginning;
  [tom, jerry, spike] = await three(running);
  const { data } = await tom.post('/group/create', { members: [jerry.uid] });
  gid = z.object({ gid: z.coerce.number() }).parse(data).gid;
});

/**
 * The steps without what differs from run to run: what was so, and because of what. The tests' people act by the server's
 * key, for themselves.
 */
const stepsOf = ({ steps }: Explanation) =>
  steps.map(({ words, cause }) => [
    words,
    cause.kind === 'time'
      ? cause.what
      : `${cause.type} by ${cause.by.replace(/ for person \d+ \(.*\)$/, '')}`,
  ]);

const between = (one: Person, other: Person) =>
  `between persons ${Math.min(one.uid, other.uid)} and ${Math.max(one.uid, other.uid)}`;

const say = async (from: Person, chat: { to: number; type: string }, more = {}) =>
  z
    .object({ mid: z.int() })
    .parse((await from.post('/message/send', { ...chat, content: '你好', ...more })).data).mid;

describe('whether someone may speak', () => {
  test('is explained with each change, its event, its actor and its refusal, and with the end of a mute by time', async () => {
    await tom.post('/group/forbiddenuser', { gid, uid: jerry.uid, time: 60 });
    now += 10_000;
    await tom.post('/group/forbiddenall', { gid, value: 1 });
    now += 100_000;
    const explanation = await explained(running, `can-speak ${jerry.uid} group ${gid}`);
    const no = `may not speak in group ${gid}`;
    const outside = `${no}: 群组不存在,或你不是该群成员 (code 2)`;
    expect(stepsOf(explanation)).toEqual([
      [outside, "UserRegistered by the server's key"],
      [`may speak in group ${gid}`, "GroupCreated by the server's key"],
      [`${no}: 你已被禁言,暂时不能发言 (code 4)`, "MemberMuted by the server's key"],
      [`${no}: 全体禁言中,暂时不能发言 (code 200)`, 'the mute ended'],
    ]);
    expect(explanation.steps.at(-1)?.time).toBe(beginning + 60_000);
    expect(explanation.verdict).toMatchObject({ value: false, refusal: { reason: 'groupMuted', code: 200 } });
    expect(explanationLines(explanation).at(-1)).toMatch(
      new RegExp(
        `^person ${jerry.uid} \\(jerry\\) may not speak in group ${gid}: 全体禁言中,暂时不能发言 \\(code 200\\), since 2023-11-1\\d .*, when the mute ended\\.$`,
      ),
    );
  });

  test('names when a mute that still holds will end', async () => {
    await tom.post('/group/forbiddenuser', { gid, uid: jerry.uid, time: 60 });
    const { answer } = await explained(running, `can-speak ${jerry.uid} group ${gid}`);
    expect(answer).toMatch(
      /by MemberMuted of the server's key for person \d+ \(tom\); this ends by itself on 2023-11-1\d/,
    );
  });

  test('of a disabled account, and while group chats are off, is refused as sending is', async () => {
    await jerry.post('/user/update', { account_state: 'disabled' });
    const { verdict } = await explained(running, `can-speak ${jerry.uid} group ${gid}`);
    expect(verdict).toMatchObject({ value: false, refusal: { code: 85 } });
    await call(running, 'POST', '/setting/update', { group_chat: 'off' });
    const other = await explained(running, `can-speak ${tom.uid} group ${gid}`);
    expect(other.verdict).toMatchObject({ value: false, refusal: { code: 83, msg: '群聊功能已关闭' } });
    await call(running, 'POST', '/setting/update', { group_chat: 'on' });
  });
});

test('whether two are friends, in a group, manage it and have an account is explained by who did what', async () => {
  await tom.post('/friend/apply', { friend_uid: jerry.uid });
  await tom.post('/friend/add', { friend_uid: jerry.uid });
  await jerry.post('/friend/delete', { friend_uid: tom.uid });
  expect(stepsOf(await explained(running, `friends ${tom.uid} ${jerry.uid}`))).toEqual([
    [`is a friend of person ${jerry.uid}`, "Befriended by the server's key"],
    [`is no friend of person ${jerry.uid}`, "Unfriended by the server's key"],
  ]);
  await tom.post('/group/manager', { gid, uid: jerry.uid, value: 1 });
  expect(stepsOf(await explained(running, `manager ${jerry.uid} ${gid}`)).at(-1)).toEqual([
    `manages group ${gid} as its manager`,
    "ManagerAppointed by the server's key",
  ]);
  await tom.post('/group/memberdel', { gid, members: [jerry.uid] });
  expect((await explained(running, `manager ${jerry.uid} ${gid}`)).verdict).toMatchObject({
    value: false,
    refusal: { code: 2 },
  });
  expect(stepsOf(await explained(running, `member ${jerry.uid} ${gid}`)).at(-1)).toEqual([
    `is no member of group ${gid}: 群组不存在,或你不是该群成员 (code 2)`,
    "MembersRemoved by the server's key",
  ]);
  await jerry.post('/user/update', { account_state: 'disabled' });
  expect((await explained(running, `account ${jerry.uid}`)).answer).toMatch(
    /has no active account: 账号已被禁用 \(code 85\), since .*, by AccountDisabled of the server's key for person \d+ \(jerry\)\.$/,
  );
  await call(running, 'POST', '/user/delete', { uid: jerry.uid });
  expect((await explained(running, `account ${jerry.uid}`)).answer).toMatch(
    /has no active account: 账号已注销 \(code 101\), since .*, by AccountDeleted of the server's key\.$/,
  );
});

test('whether someone may send to another goes by their friendship while strangers may not chat', async () => {
  await call(running, 'POST', '/setting/update', { stranger_chat: 'off' });
  const question = `can-send ${tom.uid} friend ${spike.uid}`;
  const refused = await explained(running, question);
  expect(refused.verdict).toMatchObject({ value: false, refusal: { reason: 'notFriends', code: 84 } });
  await tom.post('/friend/add', { friend_uid: spike.uid });
  expect((await explained(running, question)).verdict).toEqual({
    value: true,
    words: `may send messages to person ${spike.uid}`,
  });
  await call(running, 'POST', '/setting/update', { stranger_chat: 'on' });
});

test('whether a message is visible is explained for members since they joined, with its removal', async () => {
  const mid = await say(tom, { to: gid, type: 'group' });
  await spike.post('/group/join', { gid });
  expect((await explained(running, `visible ${mid} to ${spike.uid}`)).verdict).toEqual({
    value: false,
    words: `cannot see message ${mid}: it was sent before they joined the group`,
  });
  await jerry.post('/message/delete', { id: gid, type: 'group', mid, ty: 1 });
  await tom.post('/message/revoke', { id: gid, type: 'group', mid });
  expect(stepsOf(await explained(running, `visible ${mid} to ${jerry.uid}`))).toEqual([
    [`can see message ${mid}`, "MessageSent by the server's key"],
    [`cannot see message ${mid}: they deleted it for themselves`, "MessageDeleted by the server's key"],
  ]);
  expect(stepsOf(await explained(running, `visible ${mid} to ${tom.uid}`)).at(-1)).toEqual([
    `sees 「此消息已撤回」 in the place of message ${mid}`,
    "MessageRevoked by the server's key",
  ]);
});

test('unread messages are explained with each that came, was read or was revoked, the last ones if there are many', async () => {
  const chat = { to: jerry.uid, type: 'friend' };
  for (let count = 0; count < 3; count++) await say(tom, chat);
  const mid = await say(tom, chat);
  await tom.post('/message/revoke', { id: jerry.uid, type: 'friend', mid });
  const question = `unread ${jerry.uid} friend ${tom.uid}`;
  expect((await explained(running, question)).verdict).toEqual({
    value: 3,
    words: `has 3 unread messages from person ${tom.uid}`,
  });
  await jerry.post('/message/updateLastReadTime', { id: tom.uid, type: 'friend' });
  const explanation = await explained(running, question, { maxSteps: 2 });
  expect(explanation).toMatchObject({ omitted: 4, verdict: { value: 0 } });
  expect(stepsOf(explanation).map(([words]) => words)).toEqual([
    `has 3 unread messages from person ${tom.uid}`,
    `has 0 unread messages from person ${tom.uid}`,
  ]);
  expect(explanationLines(explanation)[0]).toBe('(4 earlier changes are not shown: --steps)');
});

describe('what happened to a message', () => {
  test('between two is explained from its sending to its revocation, with who quoted and saw it', async () => {
    const chat = { to: jerry.uid, type: 'friend' };
    const mid = await say(tom, chat);
    await jerry.get('/message/get', { id: tom.uid, type: 'friend' });
    const quote = await say(jerry, { to: tom.uid, type: 'friend' }, { quote_mid: mid });
    await tom.post('/message/revoke', { id: jerry.uid, type: 'friend', mid });
    const explanation = await explained(running, `message ${mid}`);
    expect(stepsOf(explanation)).toEqual([
      [`is sent by person ${tom.uid} ${between(tom, jerry)}`, "MessageSent by the server's key"],
      [`is seen by person ${jerry.uid}`, "ReadTo by the server's key"],
      [`is quoted by person ${jerry.uid} in message ${quote}`, "MessageSent by the server's key"],
      [`is revoked by person ${tom.uid}`, "MessageRevoked by the server's key"],
    ]);
    expect(explanation.answer).toMatch(
      new RegExp(
        `^message ${mid} was sent by person ${tom.uid} \\(tom\\) between .* on 2023-.*, seen by 1 of 1, quoted once, was revoked by person ${tom.uid}\\.$`,
      ),
    );
  });

  test('in a group follows its members, and not who joins later', async () => {
    const mid = await say(tom, { to: gid, type: 'group' });
    await spike.post('/group/join', { gid });
    await say(tom, { to: gid, type: 'group' });
    for (const reader of [spike, jerry]) await reader.get('/message/get', { id: gid, type: 'group' });
    const explanation = await explained(running, `message ${mid}`);
    expect(stepsOf(explanation).map(([words]) => words)).toEqual([
      `is sent by person ${tom.uid} in group ${gid}`,
      `is seen by person ${jerry.uid}`,
    ]);
    expect(explanation.answer).toMatch(/, seen by 1 of 1\.$/);
  });

  test('of a notice and of the text of agreeing is explained as well', async () => {
    await tom.post('/friend/apply', { friend_uid: jerry.uid });
    const { data } = await jerry.get('/friend/applylist');
    const [open] = z.array(z.object({ nid: z.int() })).parse(data);
    await jerry.post('/friend/agree', { nid: open?.nid });
    const chat = await tom.get('/message/get', { id: jerry.uid, type: 'friend' });
    const group = await tom.get('/message/get', { id: gid, type: 'group' });
    const mids = [chat, group].map(
      (answer) => z.array(z.object({ mid: z.int() })).parse(answer.data)[0]?.mid,
    );
    const lives = await Promise.all(mids.map((mid) => explained(running, `message ${mid}`)));
    expect(lives.map((life) => stepsOf(life)[0])).toEqual([
      [`is sent by person ${jerry.uid} ${between(tom, jerry)}`, "FriendAgreed by the server's key"],
      [`is left as a notice in group ${gid}`, "GroupCreated by the server's key"],
    ]);
  });
});

describe('who or what is not there', () => {
  const nobody = 8_888_888;

  test('is named in the answer to every question', async () => {
    const asked = (question: string) => explained(running, question);
    await expect(asked(`account ${nobody}`)).rejects.toThrow(`there is no person ${nobody}`);
    await expect(asked(`member ${tom.uid} ${nobody}`)).rejects.toThrow(`there is no group ${nobody}`);
    await expect(asked(`can-send ${tom.uid} friend ${nobody}`)).rejects.toThrow(
      `there is no person ${nobody}`,
    );
    await expect(asked(`unread ${tom.uid} group ${nobody}`)).rejects.toThrow(`there is no group ${nobody}`);
    await expect(asked(`message ${nobody}`)).rejects.toThrow(`there is no message ${nobody}`);
    await expect(asked(`visible ${nobody} to ${tom.uid}`)).rejects.toThrow(`there is no message ${nobody}`);
  });

  test('at a moment of the past is said with that moment', async () => {
    const moment = momentAt(now, now);
    now += 1;
    const mid = await say(tom, { to: gid, type: 'group' });
    await expect(explained(running, `message ${mid}`, { moment })).rejects.toThrow(
      `there was no message ${mid} on 2023-11-1`,
    );
    expect((await explained(running, `member ${jerry.uid} ${gid}`, { moment })).verdict?.value).toBe(true);
  });
});
