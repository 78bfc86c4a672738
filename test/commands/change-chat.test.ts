import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import type { Mid, Uid } from '../../contracts/ids.ts';
import { type ChatChanges, changeChat } from '../../services/commands/change-chat.ts';
import { markRead } from '../../services/commands/reading.ts';
import { startOfLog } from '../../services/log/log.ts';
import { findMessage } from '../../services/queries/messages.ts';
import { findReading } from '../../services/queries/reading.ts';
import { countUnread } from '../../services/queries/unread.ts';
import { context, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { between, gid, uid } from '../support/events.ts';

let running: RunningApplication;
let me: Uid;
let other: Uid;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

beforeEach(async () => {
  me = await register(running.application, '我');
  other = await register(running.application, '你');
});

const friend = (id: Uid): Chat => ({ type: 'friend', id });

/** `other` says something to me at a second. */
async function receive(time: number): Promise<Mid> {
  const { application } = running;
  const message = { from: other, to: friend(me), content: 'x' };
  const { mid, position } = await application.sender.send(message, context(other, time * 1000));
  await running.shown(position);
  return mid;
}

async function change(changes: ChatChanges, chat: Chat = friend(other)) {
  const position = await changeChat(running.application, me, chat, changes, context(me));
  await running.shown(position);
  return position;
}

const unread = () => countUnread(running.application.database, me, between(me, other));

async function read(mid: Mid) {
  const { application } = running;
  const conversation = between(me, other);
  const message = await findMessage(application.database, conversation, mid);
  if (!message) throw new Error('no such message');
  const position = await markRead(application, me, conversation, { message }, context(me));
  await running.shown(position);
  return position;
}

const now = 1_700_000_000;

describe('marking as read', () => {
  it('goes up to a message, and never back', async () => {
    const mids = [await receive(now), await receive(now), await receive(now)];
    const [first, second] = mids;
    if (first === undefined || second === undefined) throw new Error('nothing received');
    expect(await unread()).toBe(3);
    await read(second);
    expect(await unread()).toBe(1);
    expect(await read(first)).toBe(startOfLog);
    expect(await unread()).toBe(1);
  });

  it('distinguishes messages within one second', async () => {
    const first = await receive(now);
    await receive(now);
    await read(first);
    expect(await unread()).toBe(1);
  });

  it('up to a time includes that whole second', async () => {
    for (const time of [now, now + 1, now + 1, now + 2]) await receive(time);
    await change({ lastReadTime: now + 1 });
    expect(await unread()).toBe(1);
    await change({ lastReadTime: now });
    expect(await unread()).toBe(1);
    await change({ lastReadTime: now - 1 });
    expect(await unread()).toBe(1);
    await change({ lastReadTime: now + 99 });
    expect(await unread()).toBe(0);
  });

  it('of all is pushed once', async () => {
    await receive(now);
    const conversation = between(me, other);
    const { application } = running;
    await running.shown(await markRead(application, me, conversation, {}, context(me)));
    expect(await unread()).toBe(0);
    expect(await markRead(application, me, conversation, {}, context(me))).toBe(startOfLog);
  });

  it('in an empty conversation appends nothing', async () => {
    expect(await change({ unreadCount: 0 })).toBe(startOfLog);
    expect(await change({ lastReadTime: now })).toBe(startOfLog);
  });
});

describe('an unread mark', () => {
  it('shows at least its count as unread until the next reading', async () => {
    await receive(now);
    await change({ unreadCount: 3 });
    expect(await unread()).toBe(3);
    await receive(now);
    expect(await unread()).toBe(3);
    for (let index = 0; index < 3; index++) await receive(now);
    expect(await unread()).toBe(5);
    await change({ unreadCount: 0 });
    expect(await unread()).toBe(0);
  });

  it('is removed by reading, even if all was read before', async () => {
    const mid = await receive(now);
    await read(mid);
    await change({ unreadCount: 1 });
    expect(await unread()).toBe(1);
    await read(mid);
    expect(await unread()).toBe(0);
  });

  it('is removed by hiding the chat', async () => {
    await receive(now);
    await change({ unreadCount: 9 });
    await change({ state: 'hidden' });
    expect(await unread()).toBe(0);
    expect((await findReading(running.application.database, me, between(me, other)))?.marked).toBe(0);
  });
});

describe('changing a chat', () => {
  it('is pushed once: a change to what already holds appends nothing', async () => {
    await receive(now);
    for (const changes of [
      { state: 'hidden' },
      { state: 'chatting' },
      { top: true },
      { top: false },
    ] as const) {
      expect(await change(changes), JSON.stringify(changes)).not.toBe(startOfLog);
      expect(await change(changes), JSON.stringify(changes)).toBe(startOfLog);
    }
  });

  it('makes all changes in one append', async () => {
    await receive(now);
    await change({ unreadCount: 0, top: true, state: 'hidden' });
    expect(await unread()).toBe(0);
    const row = await running.application.database
      .selectFrom('read.inbox')
      .selectAll()
      .where('uid', '=', me)
      .executeTakeFirst();
    expect(row).toMatchObject({ pinned: true, hidden_sequence: 1, read_sequence: 1 });
  });

  it('requires a change', async () => {
    await expect(change({})).rejects.toMatchObject({ reason: 'missing' });
    await expect(change({ state: undefined, top: undefined })).rejects.toMatchObject({ reason: 'missing' });
  });

  it('requires a chat that can exist', async () => {
    const nobody = uid(other + 1_000_000);
    await expect(change({ top: true }, friend(nobody))).rejects.toMatchObject({ reason: 'noUser' });
    const group: Chat = { type: 'group', id: gid(404) };
    await expect(change({ top: true }, group)).rejects.toMatchObject({ reason: 'illegal' });
  });
});
