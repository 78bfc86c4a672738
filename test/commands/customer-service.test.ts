import { describe, expect, it } from 'vitest';
import { execute } from '../../services/commands/execute.ts';
import { FirstMessages, type HasSpoken } from '../../services/commands/first-messages.ts';
import { agree, agreeText, apply, friendshipStream } from '../../services/domain/friendship.ts';
import { readPage } from '../../services/queries/history.ts';
import { hasSpoken as findSpoken } from '../../services/queries/messages.ts';
import { context, register } from '../support/acting.ts';
import { between, inGroup } from '../support/events.ts';
import { wrapLog } from '../support/wrapped-log.ts';
import { friend, inThe, useMessaging } from './messaging-harness.ts';

const world = useMessaging();
const { send, twoPeople, groupOf, account, whileSet, said, saidLast, member } = world;

describe('customer service', () => {
  it('greets a person once, right after their first message', async () => {
    const [one] = await twoPeople();
    const service = await member();
    await send(one, friend(service), '在吗');
    await send(one, friend(service), '在吗');
    expect(await said(one, service)).toEqual([`${one}: 在吗`, `${service}: 欢迎`, `${one}: 在吗`]);
  });

  it('greets each person', async () => {
    const [one, other] = await twoPeople();
    const service = await member();
    await send(one, friend(service), '1');
    await send(other, friend(service), '2');
    expect(await said(one, service)).toHaveLength(2);
    expect(await said(other, service)).toHaveLength(2);
  });

  it('greets once if several first messages are sent at once, over two processes', async () => {
    const another = await world.running.another();
    const service = await member();
    for (let round = 0; round < 5; round++) {
      const one = await register(world.application, '甲');
      await Promise.all(
        [world.application, another, world.application, another].map((by, index) =>
          send(one, friend(service), `${index}`, {}, by),
        ),
      );
      const all = await said(one, service);
      expect(all).toHaveLength(5);
      expect(all.filter((line) => line === `${service}: 欢迎`)).toHaveLength(1);
      expect(all[1]).toBe(`${service}: 欢迎`);
    }
  });

  it('puts each answer right after its message, with ten messages at once', async () => {
    const [one] = await twoPeople();
    const service = await member();
    await Promise.all(Array.from({ length: 10 }, () => send(one, friend(service), ' 几 点 ')));
    const all = await said(one, service);
    expect(all.slice(0, 3)).toEqual([`${one}:  几 点 `, `${service}: 欢迎`, `${service}: 九点`]);
    const rest = Array.from({ length: 9 }, () => [`${one}:  几 点 `, `${service}: 九点`]).flat();
    expect(all.slice(3)).toEqual(rest);
  });

  it('does not answer an automatic answer, also between two members', async () => {
    const [first, second] = await Promise.all([member(), member()]);
    await send(first, friend(second), '在吗');
    expect(await said(first, second)).toEqual([`${first}: 在吗`, `${second}: 欢迎`]);
    // An automatic answer is not a first message of the member in whose name it is sent.
    await send(second, friend(first), '在');
    expect((await said(first, second)).slice(2)).toEqual([`${second}: 在`, `${first}: 欢迎`]);
  });

  it('reads 100 events of a long conversation, and asks the read models about older ones', async () => {
    const [one, other] = await twoPeople();
    const service = await member();
    await send(one, friend(service), '在吗');
    for (let index = 0; index < 105; index++) {
      await Promise.all([send(service, friend(one), 'x'), send(service, friend(other), 'x')]);
    }
    // Another process does not remember who was greeted.
    const another = await world.running.another();
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

  it('greets after the text of agreeing, which is not a first message', async () => {
    const [one] = await twoPeople();
    const service = await member();
    const [applicationId, greeting] = await Promise.all([
      world.application.ids.nextApplicationId(),
      world.application.ids.nextMid(),
    ]);
    const between = friendshipStream(one, service);
    const asked = { from: service, to: one, postscript: '', applicationId, mid: greeting };
    await execute(world.application, between, context(service), (state) => apply(state, asked));
    const agreed = { by: one, applicationId, mid: greeting };
    await execute(world.application, between, context(one), (state) => agree(state, agreed));
    await send(one, friend(service), '在吗');
    expect(await said(one, service)).toEqual([`${one}: ${agreeText}`, `${one}: 在吗`, `${service}: 欢迎`]);
  });

  it('does not answer for people who are not members, nor in groups', async () => {
    const [one, other] = await twoPeople();
    const service = await member();
    await send(service, friend(other), '几点');
    expect(await said(service, other)).toHaveLength(1);
    const group = await groupOf(one, service);
    await send(one, inThe(group), '几点');
    await world.running.shown();
    const page = { reader: one, conversation: inGroup(group), after: 0, before: null, limit: 10 };
    // The notice of the group's creation, and the message.
    expect(await readPage(world.application.database, page)).toHaveLength(2);
  });

  it('does not answer for a disabled account, which cannot send', async () => {
    const [one] = await twoPeople();
    const service = await member();
    await account(service, { disabled: true });
    await send(one, friend(service), '几点');
    expect(await said(one, service)).toEqual([`${one}: 几点`]);
  });

  it('stars out dirty words in its answers too', async () => {
    const [one] = await twoPeople();
    const service = await member();
    await whileSet({ dirty_words: '欢' }, { dirty_words: '' }, async () => {
      await send(one, friend(service), '在吗');
    });
    expect(await said(one, service)).toEqual([`${one}: 在吗`, `${service}: *迎`]);
  });
});
