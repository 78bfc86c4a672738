import { describe, expect, it } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import { execute } from '../../services/commands/execute.ts';
import { removeMessage } from '../../services/commands/remove-message.ts';
import { groupStream } from '../../services/domain/group.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import { context, makeFriends, register } from '../support/acting.ts';
import { mid, uid } from '../support/events.ts';
import { friend, inThe, useMessaging } from './messaging-harness.ts';

const world = useMessaging();
const { send, twoPeople, groupOf, account, whileSet, said } = world;

describe('sending', () => {
  it('gives each message its own mid, and keeps the order', async () => {
    const [one, other] = await twoPeople();
    const first = await send(one, friend(other), '1');
    const second = await send(other, friend(one), '2');
    expect(first.mid).not.toBe(second.mid);
    expect(second.position > first.position).toBe(true);
    expect(await said(one, other)).toEqual([`${one}: 1`, `${other}: 2`]);
  });

  it('is refused to oneself, to and from unknown people, and from a disabled account', async () => {
    const [one, other] = await twoPeople();
    await expect(send(one, friend(one), 'x')).rejects.toMatchObject({ reason: 'illegal' });
    const nobody = (await register(world.application, '丙')) + 1_000_000;
    const chat: Chat = { type: 'friend', id: other };
    await expect(send(one, { ...chat, id: uid(nobody) }, 'x')).rejects.toMatchObject({ reason: 'noUser' });
    await expect(send(uid(nobody), chat, 'x')).rejects.toMatchObject({ reason: 'noUser' });
    await account(one, { disabled: true });
    await expect(send(one, chat, 'x')).rejects.toMatchObject({ reason: 'disabled' });
    expect(await said(one, other)).toEqual([]);
  });

  it('applies the switches at once', async () => {
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
      await makeFriends(world.application, one, other);
      await send(one, friend(other), 'x');
    });
  });

  it('checks the switch before the addressee, and the quoted message last', async () => {
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

  it('quotes only messages of this conversation that the sender can read', async () => {
    const [one, other] = await twoPeople();
    const third = await register(world.application, '丙');
    const quoted = await send(one, friend(other), '原话');
    await world.running.shown();
    await send(other, friend(one), '引用', { quoteMid: quoted.mid });
    await expect(send(third, friend(one), 'x', { quoteMid: quoted.mid })).rejects.toMatchObject({
      reason: 'noMessage',
    });
    const group = await groupOf(one, other);
    const before = await send(one, inThe(group), '早');
    await execute(world.application, groupStream(group), context(third), (state) =>
      groupMembers.joinGroup(state, { uid: third, mid: mid(800_001) }),
    );
    await world.running.shown();
    await expect(send(third, inThe(group), 'x', { quoteMid: before.mid })).rejects.toMatchObject({
      reason: 'noMessage',
    });
    await send(other, inThe(group), 'x', { quoteMid: before.mid });
  });

  it('quotes no message that was revoked, or deleted for the sender', async () => {
    const [one, other] = await twoPeople();
    for (const [removal, by] of [
      ['revoke', one],
      ['delete for self', other],
      ['delete for all', one],
    ] as const) {
      const quoted = await send(one, friend(other), '原话');
      await world.running.shown();
      const chat = friend(by === one ? other : one);
      await removeMessage(world.application, removal, { by, chat, mid: quoted.mid }, context(by));
      await world.running.shown();
      await expect(send(other, friend(one), 'x', { quoteMid: quoted.mid })).rejects.toMatchObject({
        reason: 'noMessage',
      });
    }
  });
});
