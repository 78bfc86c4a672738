import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { between, created, gid, inGroup, readTo, registered, sent, uid } from '../support/events.ts';
import { openWorld, type World } from '../support/projecting.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  await world.given(registered(1, '甲'), registered(2, '乙'), registered(3, '丙'), created(50, '群', 1, 2));
});

afterAll(() => world.close());

async function pushedBy(...events: DomainEvent[]) {
  const before = await world.log.end();
  await world.given(...events);
  await world.project();
  return world.pushes(before);
}

async function chat(who: number, conversation: ConversationId): Promise<Record<string, unknown> | undefined> {
  const [row] = await world.query<Record<string, unknown>>(
    'select * from read.inbox where uid = $1 and conversation = $2',
    [who, conversation],
  );
  return row;
}

const marked = (who: number, conversation: ConversationId, count: number): DomainEvent => ({
  type: 'UnreadMarked',
  data: { uid: uid(who), conversation, count },
});
const list = (
  type: 'ChatHidden' | 'ChatShown' | 'ChatPinned' | 'ChatUnpinned',
  who: number,
  conversation: ConversationId,
): DomainEvent => ({ type, data: { uid: uid(who), conversation } });

describe('that a chat was read', () => {
  const talk = between(1, 2);

  it('is pushed to both of two people, each with the id of their own chat', async () => {
    await world.given(sent(talk, 1, 10, 'a'), sent(talk, 1, 11, 'b'));
    expect(await pushedBy(readTo(2, talk, 11, 2))).toEqual([
      { channel: 'user-2', event: 'read', data: { type: 'friend', id: 1, mid: 11, uid: 2 } },
      { channel: 'user-1', event: 'read', data: { type: 'friend', id: 2, mid: 11, uid: 2 } },
    ]);
    expect(await chat(2, talk)).toMatchObject({ read_sequence: '2' });
    expect(await chat(1, talk)).toMatchObject({ read_sequence: '0' });
  });

  it('stores how many messages of others were read, up to any message', async () => {
    const other = between(2, 4);
    await world.given(registered(4, '丁'));
    const said = [2, 4, 4, 2, 4].map((from, index) => sent(other, from, 60 + index, 'x'));
    await world.given(...said, readTo(2, other, 61, 2), readTo(4, other, 63, 4));
    await world.project();
    expect(await chat(2, other)).toMatchObject({ party: '4', own: '2', own_sequence: '4', read_others: '1' });
    expect(await chat(4, other)).toMatchObject({ party: '2', own: '3', own_sequence: '5', read_others: '2' });
    await world.given(list('ChatHidden', 2, other));
    await world.project();
    expect(await chat(2, other)).toMatchObject({ read_sequence: '5', read_others: '3' });
  });

  it('never goes back, and is pushed only if it advances', async () => {
    expect(await pushedBy(readTo(2, talk, 10, 1), readTo(2, talk, 11, 2))).toEqual([]);
    expect(await chat(2, talk)).toMatchObject({ read_sequence: '2' });
  });

  it('removes an unread mark, which is pushed to the reader’s own devices only', async () => {
    await world.given(marked(2, talk, 3));
    await world.project();
    expect(await chat(2, talk)).toMatchObject({ marked_unread: '3', read_sequence: '2' });
    expect((await pushedBy(readTo(2, talk, 11, 2))).map(({ channel }) => channel)).toEqual(['user-2']);
    expect(await chat(2, talk)).toMatchObject({ marked_unread: '0' });
  });

  it('is pushed to the reader’s own devices only, in a group', async () => {
    await world.given(sent(inGroup(50), 1, 20, 'x'));
    expect(await pushedBy(readTo(2, inGroup(50), 20, 1))).toEqual([
      { channel: 'user-2', event: 'read', data: { type: 'group', id: 50, mid: 20, uid: 2 } },
    ]);
  });

  it('changes nothing in a group that the reader has left', async () => {
    await world.given({ type: 'MemberLeft', data: { gid: gid(50), uid: uid(2), faces: null } });
    const late = [
      readTo(2, inGroup(50), 20, 1),
      list('ChatPinned', 2, inGroup(50)),
      marked(2, inGroup(50), 1),
    ];
    expect(await pushedBy(...late)).toEqual([]);
    expect(await chat(2, inGroup(50))).toBeUndefined();
  });
});

describe('the list of chats', () => {
  const talk = between(1, 3);

  it('hides a chat, and counts it as read, until the next message or until it is shown', async () => {
    await world.given(sent(talk, 3, 30, 'a'), sent(talk, 3, 31, 'b'), marked(1, talk, 9));
    expect((await pushedBy(list('ChatHidden', 1, talk))).length).toBe(0);
    expect(await chat(1, talk)).toMatchObject({
      hidden_sequence: '2',
      read_sequence: '2',
      marked_unread: '0',
    });
    expect(await chat(3, talk)).toMatchObject({ hidden_sequence: null });
    await world.given(list('ChatShown', 1, talk));
    await world.project();
    expect(await chat(1, talk)).toMatchObject({ hidden_sequence: null, read_sequence: '2' });
  });

  it('pins and unpins a chat', async () => {
    await world.given(list('ChatPinned', 1, talk));
    await world.project();
    expect(await chat(1, talk)).toMatchObject({ pinned: true, hidden_sequence: null });
    await world.given(list('ChatUnpinned', 1, talk));
    await world.project();
    expect(await chat(1, talk)).toMatchObject({ pinned: false });
  });

  it('shows a chat without messages only if it was opened', async () => {
    const quiet = between(2, 3);
    await world.given(list('ChatHidden', 2, quiet), readTo(2, quiet, 1, 0));
    await world.project();
    expect(await chat(2, quiet)).toBeUndefined();
    await world.given(list('ChatPinned', 2, quiet));
    await world.project();
    expect(await chat(2, quiet)).toMatchObject({ pinned: true, hidden_sequence: '0' });
    await world.given(list('ChatShown', 2, quiet));
    await world.project();
    expect(await chat(2, quiet)).toMatchObject({ hidden_sequence: null });
  });
});
