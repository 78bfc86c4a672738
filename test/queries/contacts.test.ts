import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApplicationId, type Uid } from '../../contracts/ids.ts';
import { execute } from '../../services/commands/execute.ts';
import {
  apply,
  befriend,
  friendshipStream,
  refuse,
  remark,
  unfriend,
} from '../../services/domain/friendship.ts';
import {
  countOpenApplications,
  findApplication,
  findApplications,
  findContacts,
  findTemporaryContacts,
} from '../../services/queries/contacts.ts';
import { context, makeFriends, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';

const all = { limit: 1_000, start: 0 };

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

const person = (name: string) => register(running.application, name);

async function relate(
  by: Uid,
  other: Uid,
  decide: (state: Parameters<typeof befriend>[0]) => ReturnType<typeof befriend>,
  time = 1_700_000_000,
): Promise<void> {
  const stream = friendshipStream(by, other);
  await execute(running.application, stream, context(by, time * 1000), decide);
  await running.shown();
}

async function ask(from: Uid, to: Uid, postscript: string, time?: number): Promise<ApplicationId> {
  const [applicationId, mid] = [
    await running.application.ids.nextApplicationId(),
    await running.application.ids.nextMid(),
  ];
  await relate(from, to, (state) => apply(state, { from, to, postscript, applicationId, mid }), time);
  return applicationId;
}

describe('contacts', () => {
  it('are listed by the initial of the name that the reader gives them', async () => {
    const me = await person('我');
    const [cat, mouse, latin] = [await person('猫猫'), await person('小老鼠'), await person('zoe')];
    for (const friend of [cat, mouse, latin]) await makeFriends(running.application, me, friend);
    await relate(me, mouse, (state) => remark(state, { by: me, friend: mouse, remark: '阿鼠' }));
    const { database, presence } = running.application;
    expect(await findContacts(database, presence, me, all)).toMatchObject({
      A: { [mouse]: { uid: mouse, name: '阿鼠', initials: 'A', state: 'offline', is_member: 0 } },
      M: { [cat]: { name: '猫猫', avatar: '/static/img/avatar.jpg' } },
      Z: { [latin]: { name: 'zoe' } },
    });
    expect(Object.keys(await findContacts(database, presence, mouse, all))).toEqual(['W']);
  });

  it('lose a friend on both sides when one ends the friendship', async () => {
    const [me, other] = [await person('我'), await person('你')];
    await makeFriends(running.application, me, other);
    await relate(other, me, (state) => unfriend(state, { by: other, friend: me }));
    const { database, presence } = running.application;
    for (const who of [me, other]) expect(await findContacts(database, presence, who, all)).toEqual({});
  });

  it('are temporary if the reader talks with them and they are no friends', async () => {
    const [me, stranger] = [await person('我'), await person('生人')];
    const { application } = running;
    const message = { from: stranger, to: { type: 'friend', id: me }, content: 'x' } as const;
    await application.sender.send(message, context(stranger));
    await running.shown();
    const { database, presence } = application;
    expect(await findTemporaryContacts(database, presence, me, all)).toMatchObject({ S: { [stranger]: {} } });
    expect(await findTemporaryContacts(database, presence, stranger, all)).toMatchObject({ W: { [me]: {} } });
    await makeFriends(application, me, stranger);
    await running.shown();
    expect(await findTemporaryContacts(database, presence, me, all)).toEqual({});
  });
});

describe('applications', () => {
  it('are listed for their recipient, newest first, with their present state', async () => {
    const me = await person('我');
    const [first, second, third] = [await person('甲'), await person('乙'), await person('丙')];
    const now = 1_700_000_000;
    const [one, two] = [await ask(first, me, '一', now), await ask(second, me, '二', now + 1)];
    const three = await ask(third, me, '三', now + 1);
    await relate(me, second, (state) => refuse(state, { by: me, applicationId: two }), now + 2);
    await ask(me, await person('丁'), '不是给我的');
    const { database } = running.application;
    expect(await findApplications(database, me, all)).toEqual([
      expect.objectContaining({ nid: three, from: third, to: me, operation: 'not_operated', nickname: '丙' }),
      expect.objectContaining({ nid: two, operation: 'refuse', data: '{"postscript":"二"}' }),
      expect.objectContaining({ nid: one, operation: 'not_operated', timestamp: now, type: 'add_friend' }),
    ]);
    expect(await countOpenApplications(database, me)).toBe(2);
    await relate(first, me, (state) => befriend(state, { by: first, friend: me }));
    expect(await countOpenApplications(database, me)).toBe(1);
    expect(await findApplication(database, me, one)).toMatchObject({ operation: 'agree' });
  });

  it('keep their number and get the new text if the applicant applies again', async () => {
    const [me, other] = [await person('我'), await person('你')];
    const first = await ask(other, me, '一', 1_700_000_000);
    await ask(other, me, '二', 1_700_000_005);
    const { database } = running.application;
    expect(await findApplications(database, me, all)).toMatchObject([
      { nid: first, data: '{"postscript":"二"}', timestamp: 1_700_000_005 },
    ]);
  });

  it('are shown to nobody else', async () => {
    const [me, other] = [await person('我'), await person('你')];
    const asked = await ask(other, me, '一');
    const { database } = running.application;
    expect(await findApplication(database, other, asked)).toBeUndefined();
    expect(await findApplication(database, me, ApplicationId.parse(asked + 1_000_000))).toBeUndefined();
  });
});
