import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import type { Gid, Mid, Uid } from '../../contracts/ids.ts';
import type { SettingChanges } from '../../contracts/settings.ts';
import type { Application } from '../../services/api/application.ts';
import { execute } from '../../services/commands/execute.ts';
import { FirstMessages, type HasSpoken } from '../../services/commands/first-messages.ts';
import { removeMessage } from '../../services/commands/remove-message.ts';
import type { SendMessage, SentMessage } from '../../services/commands/send-message.ts';
import { agree, agreeText, apply, friendshipStream } from '../../services/domain/friendship.ts';
import { type GroupState, groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import { addReply, replyStream } from '../../services/domain/reply.ts';
import { changeSettings, settingStream } from '../../services/domain/setting.ts';
import { changeAccount, userStream } from '../../services/domain/user.ts';
import { readPage } from '../../services/queries/history.ts';
import { hasSpoken as findSpoken } from '../../services/queries/messages.ts';
import { context, makeFriends, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { between, gid, inGroup, mid, uid } from '../support/events.ts';
import { wrapLog } from '../support/wrapped-log.ts';

let running: RunningApplication;
let application: Application;

beforeAll(async () => {
  running = await startApplication();
  application = running.application;
});

afterAll(() => running.stop());

const friend = (id: Uid): Chat => ({ type: 'friend', id });
const inThe = (id: Gid): Chat => ({ type: 'group', id });

function send(
  from: Uid,
  to: Chat,
  content: string,
  more: Partial<SendMessage> = {},
  by: Application = application,
): Promise<SentMessage> {
  return by.sender.send({ from, to, content, ...more }, context(from));
}

const twoPeople = () => Promise.all([register(application, '甲'), register(application, '乙')]);

let lastGid = 100;

async function groupOf(owner: Uid, ...members: Uid[]): Promise<Gid> {
  const id = gid(++lastGid);
  const mid = await application.ids.nextMid();
  await execute(application, groupStream(id), context(owner), (state) =>
    groups.createGroup(state, { gid: id, owner, members, names: new Map(), mid }),
  );
  return id;
}

async function account(who: Uid, changes: Parameters<typeof changeAccount>[1]): Promise<void> {
  await execute(application, userStream(who), context('server'), (state) => changeAccount(state, changes));
}

async function change(
  id: Gid,
  decide: (state: GroupState) => ReturnType<typeof groups.dissolveGroup>,
): Promise<void> {
  await execute(application, groupStream(id), context('server'), decide);
}

/** What the settings say while something is done. */
async function whileSet(
  changes: SettingChanges,
  back: SettingChanges,
  act: () => Promise<void>,
): Promise<void> {
  const set = (to: SettingChanges) =>
    execute(application, settingStream, context('server'), (state) => changeSettings(state, to));
  await set(changes);
  try {
    await act();
  } finally {
    await set(back);
  }
}

/** All that stands between two, oldest first: who said what. */
async function said(one: Uid, other: Uid): Promise<string[]> {
  await running.shown();
  const place = { reader: one, conversation: between(one, other), after: 0, before: null, limit: 100 };
  const page = await readPage(application.database, place);
  return page.map(({ message }) => `${message.from}: ${message.content}`);
}

/** The last that stands between two. */
async function saidLast(one: Uid, other: Uid, count: number): Promise<string[]> {
  await running.shown();
  const rows = await application.database
    .selectFrom('read.messages')
    .select(['sender', 'content'])
    .where('conversation', '=', between(one, other))
    .orderBy('sequence', 'desc')
    .limit(count)
    .execute();
  return rows.reverse().map(({ sender, content }) => `${sender}: ${content}`);
}

async function replies(member: Uid): Promise<void> {
  await account(member, { isMember: true });
  const plain = { uid: member, weights: 0, isDefault: false };
  for (const reply of [
    { ...plain, type: 1 as const, title: '', content: '欢迎', isDefault: true },
    { ...plain, type: 3 as const, title: '几点', content: '九点' },
  ]) {
    const rid = await application.ids.nextReplyId();
    await execute(application, replyStream(member), context(member), (state) =>
      addReply(state, { ...reply, rid }),
    );
  }
}

const member = async () => {
  const service = await register(application, '客服');
  await replies(service);
  return service;
};

describe('sending', () => {
  it('gives each message a mid of its own, and keeps the order', async () => {
    const [one, other] = await twoPeople();
    const first = await send(one, friend(other), '1');
    const second = await send(other, friend(one), '2');
    expect(first.mid).not.toBe(second.mid);
    expect(second.position > first.position).toBe(true);
    expect(await said(one, other)).toEqual([`${one}: 1`, `${other}: 2`]);
  });

  it('is refused to oneself, to who is not there, and from who is not there or disabled', async () => {
    const [one, other] = await twoPeople();
    await expect(send(one, friend(one), 'x')).rejects.toMatchObject({ reason: 'illegal' });
    const nobody = (await register(application, '丙')) + 1_000_000;
    const chat: Chat = { type: 'friend', id: other };
    await expect(send(one, { ...chat, id: uid(nobody) }, 'x')).rejects.toMatchObject({ reason: 'noUser' });
    await expect(send(uid(nobody), chat, 'x')).rejects.toMatchObject({ reason: 'noUser' });
    await account(one, { disabled: true });
    await expect(send(one, chat, 'x')).rejects.toMatchObject({ reason: 'disabled' });
    expect(await said(one, other)).toEqual([]);
  });

  it('follows the switches at once', async () => {
    const [one, other] = await twoPeople();
    const group = await groupOf(one, other);
    await whileSet({ private_chat: 'off' }, { private_chat: 'on' }, async () => {
      await expect(send(one, friend(other), 'x')).rejects.toMatchObject({ reason: 'chatOff' });
      await send(one, inThe(group), 'x');
    });
    await whileSet({ group_chat: 'off' }, { group_chat: 'on' }, async () => {
      await expect(send(one, inThe(group), 'x')).rejects.toMatchObject({ reason: 'chatOff' });
      await send(one, friend(other), 'x');
    });
    await whileSet({ stranger_chat: 'off' }, { stranger_chat: 'on' }, async () => {
      await expect(send(one, friend(other), 'x')).rejects.toMatchObject({ reason: 'notFriends' });
      await makeFriends(application, one, other);
      await send(one, friend(other), 'x');
    });
  });

  it('checks the switch before the other side, and what is quoted last', async () => {
    const [one, other] = await twoPeople();
    await whileSet({ private_chat: 'off' }, { private_chat: 'on' }, () =>
      expect(send(one, friend(uid(other + 1_000_000)), 'x')).rejects.toMatchObject({ reason: 'chatOff' }),
    );
    await whileSet({ stranger_chat: 'off' }, { stranger_chat: 'on' }, () =>
      expect(send(one, friend(other), 'x', { quoteMid: mid(999_999) })).rejects.toMatchObject({
        reason: 'notFriends',
      }),
    );
    await expect(send(one, friend(other), 'x', { quoteMid: mid(999_999) })).rejects.toMatchObject({
      reason: 'noMessage',
    });
  });

  it('quotes a message of this conversation that the sender can read', async () => {
    const [one, other] = await twoPeople();
    const third = await register(application, '丙');
    const quoted = await send(one, friend(other), '原话');
    await running.shown();
    await send(other, friend(one), '引用', { quoteMid: quoted.mid });
    await expect(send(third, friend(one), 'x', { quoteMid: quoted.mid })).rejects.toMatchObject({
      reason: 'noMessage',
    });
    const group = await groupOf(one, other);
    const before = await send(one, inThe(group), '早');
    await execute(application, groupStream(group), context(third), (state) =>
      groups.joinGroup(state, { uid: third, names: new Map(), mid: mid(800_001) }),
    );
    await running.shown();
    await expect(send(third, inThe(group), 'x', { quoteMid: before.mid })).rejects.toMatchObject({
      reason: 'noMessage',
    });
    await send(other, inThe(group), 'x', { quoteMid: before.mid });
  });

  it('quotes nothing that was revoked or deleted for the sender', async () => {
    const [one, other] = await twoPeople();
    for (const [taking, by] of [
      ['revoke', one],
      ['delete for self', other],
      ['delete for all', one],
    ] as const) {
      const quoted = await send(one, friend(other), '原话');
      await running.shown();
      const chat = friend(by === one ? other : one);
      await removeMessage(application, taking, { by, chat, mid: quoted.mid }, context(by));
      await running.shown();
      await expect(send(other, friend(one), 'x', { quoteMid: quoted.mid })).rejects.toMatchObject({
        reason: 'noMessage',
      });
    }
  });
});

describe('sending the same again', () => {
  it('gives the same mid, and leaves one message', async () => {
    const [one, other] = await twoPeople();
    const first = await send(one, friend(other), '好', { uniqueId: 'a' });
    const again = await send(one, friend(other), '好', { uniqueId: 'a' });
    expect(again.mid).toBe(first.mid);
    expect(await said(one, other)).toEqual([`${one}: 好`]);
  });

  it('is another message from another sender, in another conversation, or under another id', async () => {
    const [one, other] = await twoPeople();
    const third = await register(application, '丙');
    const group = await groupOf(one);
    const mids = await Promise.all([
      send(one, friend(other), '好', { uniqueId: 'a' }),
      send(other, friend(one), '好', { uniqueId: 'a' }),
      send(one, friend(third), '好', { uniqueId: 'a' }),
      send(one, inThe(group), '好', { uniqueId: 'a' }),
      send(one, friend(other), '好', { uniqueId: 'b' }),
      send(one, friend(other), '好'),
      send(one, friend(other), '好'),
    ]);
    expect(new Set(mids.map((sent) => sent.mid)).size).toBe(7);
  });

  it('gives the same mid to twenty at once, over two processes', async () => {
    const another = await running.another();
    const [one, other] = await twoPeople();
    const twenty = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? application : another));
    const sent = await Promise.all(
      twenty.map((by) => send(one, friend(other), '好', { uniqueId: 'once' }, by)),
    );
    expect(new Set(sent.map((result) => result.mid)).size).toBe(1);
    expect(await said(one, other)).toEqual([`${one}: 好`]);
  });

  it('is refused with other content, compared as it came in', async () => {
    const [one, other] = await twoPeople();
    await whileSet({ dirty_words: '坏' }, { dirty_words: '' }, async () => {
      const first = await send(one, friend(other), '坏', { uniqueId: 'a' });
      expect((await send(one, friend(other), '坏', { uniqueId: 'a' })).mid).toBe(first.mid);
      await expect(send(one, friend(other), '*', { uniqueId: 'a' })).rejects.toMatchObject({
        reason: 'illegal',
      });
    });
    expect(await said(one, other)).toEqual([`${one}: *`]);
  });

  it.each([
    ['7', 2],
    ['123456789012345', 2],
    ['1234567890123456', 1],
    ['1559290158.1', 1],
  ])(
    'under %s is sent %i times: digits fewer than 16 are a counter of the client',
    async (uniqueId, times) => {
      const [one, other] = await twoPeople();
      const mids = [];
      for (const _ of [1, 2]) mids.push((await send(one, friend(other), '好', { uniqueId })).mid);
      expect(new Set(mids).size).toBe(times);
      expect(await said(one, other)).toHaveLength(times);
    },
  );

  it('gives the mid whatever would be refused by now', async () => {
    const [one, other] = await twoPeople();
    const group = await groupOf(other, one);
    const inPrivate = await send(one, friend(other), '好', { uniqueId: 'p' });
    const { mid: inGroupMid } = await send(one, inThe(group), '好', { uniqueId: 'g' });
    const again = (to: Chat, uniqueId: string): Promise<Mid> =>
      send(one, to, '好', { uniqueId }).then((sent) => sent.mid);

    await change(group, (state) =>
      groups.muteMember(state, {
        ...{ by: other, uid: one, time: 600, now: Math.floor(Date.now() / 1000) },
        ...{ names: new Map(), mid: mid(800_002) },
      }),
    );
    expect(await again(inThe(group), 'g')).toBe(inGroupMid);
    await expect(send(one, inThe(group), '好', { uniqueId: 'new' })).rejects.toMatchObject({
      reason: 'muted',
    });
    await change(group, (state) => groups.removeMembers(state, { by: other, members: [one] }));
    expect(await again(inThe(group), 'g')).toBe(inGroupMid);
    await change(group, (state) => groups.dissolveGroup(state, { by: other }));
    expect(await again(inThe(group), 'g')).toBe(inGroupMid);
    await whileSet(
      { private_chat: 'off', group_chat: 'off' },
      { private_chat: 'on', group_chat: 'on' },
      async () => {
        expect(await again(friend(other), 'p')).toBe(inPrivate.mid);
        expect(await again(inThe(group), 'g')).toBe(inGroupMid);
      },
    );
    await account(one, { disabled: true });
    expect(await again(friend(other), 'p')).toBe(inPrivate.mid);
    await expect(send(one, friend(other), '别的', { uniqueId: 'p' })).rejects.toMatchObject({
      reason: 'illegal',
    });
    await expect(send(one, friend(other), '好', { uniqueId: 'new' })).rejects.toMatchObject({
      reason: 'disabled',
    });
  });

  it('gives the mid of what quoted a message that is no more', async () => {
    const [one, other] = await twoPeople();
    const quoted = await send(one, friend(other), '原话');
    await running.shown();
    const more = { uniqueId: 'q', quoteMid: quoted.mid };
    const first = await send(one, friend(other), '引用', more);
    await removeMessage(
      application,
      'delete for all',
      { by: one, chat: friend(other), mid: quoted.mid },
      context(one),
    );
    await running.shown();
    expect((await send(one, friend(other), '引用', more)).mid).toBe(first.mid);
  });

  it('gives the mid of the message, not of an answer, where customer service answered', async () => {
    const [one] = await twoPeople();
    const service = await member();
    const first = await send(one, friend(service), '几点', { uniqueId: 'a' });
    const again = await send(one, friend(service), '几点', { uniqueId: 'a' });
    expect(again.mid).toBe(first.mid);
    expect(await said(one, service)).toEqual([`${one}: 几点`, `${service}: 欢迎`, `${service}: 九点`]);
  });
});

describe('customer service', () => {
  it('welcomes a person’s first message, and answers right after it', async () => {
    const [one] = await twoPeople();
    const service = await member();
    await send(one, friend(service), '在吗');
    await send(one, friend(service), '在吗');
    expect(await said(one, service)).toEqual([`${one}: 在吗`, `${service}: 欢迎`, `${one}: 在吗`]);
  });

  it('welcomes each person', async () => {
    const [one, other] = await twoPeople();
    const service = await member();
    await send(one, friend(service), '1');
    await send(other, friend(service), '2');
    expect(await said(one, service)).toHaveLength(2);
    expect(await said(other, service)).toHaveLength(2);
  });

  it('welcomes once where two first messages come at once, over two processes', async () => {
    const another = await running.another();
    const service = await member();
    for (let round = 0; round < 5; round++) {
      const one = await register(application, '甲');
      await Promise.all(
        [application, another, application, another].map((by, index) =>
          send(one, friend(service), `${index}`, {}, by),
        ),
      );
      const all = await said(one, service);
      expect(all).toHaveLength(5);
      expect(all.filter((line) => line === `${service}: 欢迎`)).toHaveLength(1);
      expect(all[1]).toBe(`${service}: 欢迎`);
    }
  });

  it('keeps its answers right behind their messages, however many ask at once', async () => {
    const [one] = await twoPeople();
    const service = await member();
    await Promise.all(Array.from({ length: 10 }, () => send(one, friend(service), ' 几 点 ')));
    const all = await said(one, service);
    expect(all.slice(0, 3)).toEqual([`${one}:  几 点 `, `${service}: 欢迎`, `${service}: 九点`]);
    const rest = Array.from({ length: 9 }, () => [`${one}:  几 点 `, `${service}: 九点`]).flat();
    expect(all.slice(3)).toEqual(rest);
  });

  it('answers no automatic answer, also between two members', async () => {
    const [first, second] = await Promise.all([member(), member()]);
    await send(first, friend(second), '在吗');
    expect(await said(first, second)).toEqual([`${first}: 在吗`, `${second}: 欢迎`]);
    // An automatic answer is no first message of the one for whom it was given.
    await send(second, friend(first), '在');
    expect((await said(first, second)).slice(2)).toEqual([`${second}: 在`, `${first}: 欢迎`]);
  });

  it('reads a bounded part of a long conversation, and asks the index for what lies before', async () => {
    const [one, other] = await twoPeople();
    const service = await member();
    await send(one, friend(service), '在吗');
    for (let index = 0; index < 105; index++) {
      await Promise.all([send(service, friend(one), 'x'), send(service, friend(other), 'x')]);
    }
    // Another process remembers nothing of who was welcomed.
    const another = await running.another();
    let read = 0;
    const log = wrapLog(another.log, {
      async *readStream(...parameters) {
        for await (const record of another.log.readStream(...parameters)) {
          read++;
          yield record;
        }
      },
    });
    const hasSpoken: HasSpoken = async (conversation, sender, position) => {
      expect(await another.progress.confirmed(position, 20_000)).toBe(true);
      return findSpoken(another.database, conversation, sender);
    };
    const first = new FirstMessages(log, another.store, hasSpoken);
    expect(await first.find(one, service, between(one, service))).toBe('sent');
    expect(await first.find(other, service, between(other, service))).toBe(104);
    expect(read).toBe(200);
    expect(await first.find(one, service, between(one, service))).toBe('sent');
    expect(read).toBe(200);
    await send(one, friend(service), '还在吗', {}, another);
    await send(other, friend(service), '在吗', {}, another);
    expect(await saidLast(one, service, 1)).toEqual([`${one}: 还在吗`]);
    expect(await saidLast(other, service, 2)).toEqual([`${other}: 在吗`, `${service}: 欢迎`]);
  });

  it('welcomes after the text of agreeing, which is no first message', async () => {
    const [one] = await twoPeople();
    const service = await member();
    const [applicationId, greeting] = await Promise.all([
      application.ids.nextApplicationId(),
      application.ids.nextMid(),
    ]);
    const between = friendshipStream(one, service);
    const asked = { from: service, to: one, postscript: '', applicationId, mid: greeting };
    await execute(application, between, context(service), (state) => apply(state, asked));
    const agreed = { by: one, applicationId, mid: greeting };
    await execute(application, between, context(one), (state) => agree(state, agreed));
    await send(one, friend(service), '在吗');
    expect(await said(one, service)).toEqual([`${one}: ${agreeText}`, `${one}: 在吗`, `${service}: 欢迎`]);
  });

  it('does not answer who is no member, nor in groups', async () => {
    const [one, other] = await twoPeople();
    const service = await member();
    await send(service, friend(other), '几点');
    expect(await said(service, other)).toHaveLength(1);
    const group = await groupOf(one, service);
    await send(one, inThe(group), '几点');
    await running.shown();
    const place = { reader: one, conversation: inGroup(group), after: 0, before: null, limit: 10 };
    // The notice of the group's creation, and what was said.
    expect(await readPage(application.database, place)).toHaveLength(2);
  });

  it('does not answer for an account that is disabled: it cannot send', async () => {
    const [one] = await twoPeople();
    const service = await member();
    await account(service, { disabled: true });
    await send(one, friend(service), '几点');
    expect(await said(one, service)).toEqual([`${one}: 几点`]);
  });

  it('stars dirty words out of its answers too', async () => {
    const [one] = await twoPeople();
    const service = await member();
    await whileSet({ dirty_words: '欢' }, { dirty_words: '' }, async () => {
      await send(one, friend(service), '在吗');
    });
    expect(await said(one, service)).toEqual([`${one}: 在吗`, `${service}: *迎`]);
  });
});
