import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import type { Gid, Mid, Uid } from '../../contracts/ids.ts';
import { execute } from '../../services/commands/execute.ts';
import { type Removal, removeMessage } from '../../services/commands/remove-message.ts';
import { type GroupState, groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import { changeSettings, settingStream } from '../../services/domain/setting.ts';
import { changeAccount, userStream } from '../../services/domain/user.ts';
import { startOfLog } from '../../services/log/log.ts';
import { findMessage } from '../../services/queries/messages.ts';
import { context, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { between, gid, mid as midOf } from '../support/events.ts';

const now = 1_700_000_000;

let running: RunningApplication;
let me: Uid;
let other: Uid;
let third: Uid;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

beforeEach(async () => {
  me = await register(running.application, '我');
  other = await register(running.application, '你');
  third = await register(running.application, '他');
});

const friend = (id: Uid): Chat => ({ type: 'friend', id });

async function say(from: Uid, to: Chat): Promise<Mid> {
  const message = { from, to, content: 'x' };
  const { mid, position } = await running.application.sender.send(message, context(from, now * 1000));
  await running.shown(position);
  return mid;
}

async function take(taking: Removal, by: Uid, chat: Chat, mid: Mid, seconds = now) {
  const command = { by, chat, mid };
  const position = await removeMessage(running.application, taking, command, context(by, seconds * 1000));
  await running.shown(position);
  return position;
}

const state = async (mid: Mid) =>
  (await findMessage(running.application.database, between(me, other), mid))?.state;

let lastGid = 700;

async function groupOf(owner: Uid, ...members: Uid[]): Promise<Gid> {
  const id = gid(++lastGid);
  const mid = await running.application.ids.nextMid();
  await change(id, (group) => groups.createGroup(group, { gid: id, owner, members, mid }));
  return id;
}

async function change(
  id: Gid,
  decide: (state: GroupState) => ReturnType<typeof groups.dissolveGroup>,
): Promise<void> {
  await execute(running.application, groupStream(id), context('server'), decide);
  await running.shown();
}

describe('removing a message', () => {
  it('is done once, and repeated without an effect', async () => {
    const mid = await say(me, friend(other));
    await take('revoke', me, friend(other), mid);
    expect(await state(mid)).toBe('revoked');
    expect(await take('revoke', me, friend(other), mid, now + 9999)).toBe(startOfLog);
    await take('delete for all', me, friend(other), mid);
    expect(await state(mid)).toBe('deleted');
    expect(await take('delete for all', me, friend(other), mid, now + 9999)).toBe(startOfLog);
    expect(await take('delete for self', other, friend(me), mid)).toBe(startOfLog);
    await expect(take('revoke', me, friend(other), mid)).rejects.toMatchObject({ reason: 'noMessage' });
  });

  it('is limited by the settings of the time for it', async () => {
    const mid = await say(me, friend(other));
    await expect(take('revoke', me, friend(other), mid, now + 121)).rejects.toMatchObject({
      reason: 'tooLate',
    });
    const set = (revoke_seconds: number) =>
      execute(running.application, settingStream, context('server'), (settings) =>
        changeSettings(settings, { revoke_seconds }),
      );
    await set(600);
    await take('revoke', me, friend(other), mid, now + 600);
    await set(120);
    expect(await state(mid)).toBe('revoked');
  });

  it('finds only messages of the given conversation', async () => {
    const mid = await say(me, friend(other));
    for (const taking of ['revoke', 'delete for self', 'delete for all'] as const) {
      await expect(take(taking, me, friend(third), mid)).rejects.toMatchObject({ reason: 'noMessage' });
      await expect(take(taking, third, friend(me), mid)).rejects.toMatchObject({ reason: 'noMessage' });
      await expect(take(taking, me, friend(other), midOf(999_999_999))).rejects.toMatchObject({
        reason: 'noMessage',
      });
    }
    expect(await state(mid)).toBe('normal');
  });

  it('of another person is possible only for oneself', async () => {
    const mid = await say(me, friend(other));
    for (const taking of ['revoke', 'delete for all'] as const) {
      await expect(take(taking, other, friend(me), mid)).rejects.toMatchObject({ reason: 'illegal' });
    }
    await take('delete for self', other, friend(me), mid, now + 9999);
    expect(await state(mid)).toBe('normal');
  });

  it('is refused to a disabled account, except for itself', async () => {
    const mid = await say(me, friend(other));
    await execute(running.application, userStream(me), context('server'), (user) =>
      changeAccount(user, { disabled: true }),
    );
    for (const taking of ['revoke', 'delete for all'] as const) {
      await expect(take(taking, me, friend(other), mid)).rejects.toMatchObject({ reason: 'disabled' });
    }
    await take('delete for self', me, friend(other), mid);
  });
});

describe('removing a message of a group', () => {
  it('is allowed to members, for messages that they may read', async () => {
    const group = await groupOf(me, other);
    const chat: Chat = { type: 'group', id: group };
    const mid = await say(other, chat);
    await expect(take('delete for self', third, chat, mid)).rejects.toMatchObject({ reason: 'illegal' });
    const notice = await running.application.ids.nextMid();
    await change(group, (state) => groupMembers.joinGroup(state, { uid: third, mid: notice }));
    await expect(take('delete for self', third, chat, mid)).rejects.toMatchObject({ reason: 'noMessage' });
    await take('delete for self', third, chat, notice);
    await expect(take('revoke', me, chat, notice)).rejects.toMatchObject({ reason: 'illegal' });
  });

  it('is allowed to the owner and managers at any time, for anyone’s messages', async () => {
    const group = await groupOf(me, other, third);
    const chat: Chat = { type: 'group', id: group };
    const [first, second] = [await say(me, chat), await say(third, chat)];
    await expect(take('revoke', other, chat, first)).rejects.toMatchObject({ reason: 'illegal' });
    await change(group, (state) => groups.setManager(state, { by: me, uid: other, manager: true }));
    await take('revoke', other, chat, first, now + 99_999);
    await take('delete for all', me, chat, second, now + 99_999);
  });

  it('is refused in a dissolved group', async () => {
    const group = await groupOf(me, other);
    const chat: Chat = { type: 'group', id: group };
    const mid = await say(me, chat);
    await change(group, (state) => groups.dissolveGroup(state, { by: me }));
    await expect(take('revoke', me, chat, mid)).rejects.toMatchObject({ reason: 'noGroup' });
  });
});
