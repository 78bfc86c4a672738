import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { applicationId, befriended, between, mid, registered, sent, uid } from '../support/events.ts';
import { openWorld, testTime, type World } from '../support/projecting.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  for (let id = 1; id <= 12; id++) await world.given(registered(id, `人${id}`));
});

afterAll(() => world.close());

function applied(id: number, from: number, to: number, postscript: string): DomainEvent {
  return {
    type: 'FriendApplied',
    data: { applicationId: applicationId(id), from: uid(from), to: uid(to), postscript },
  };
}

const greeting = '我通过了你的好友请求,我们来聊天吧';

function agreed(id: number, from: number, to: number, message: number): DomainEvent {
  const data = { applicationId: applicationId(id), from: uid(from), to: uid(to), mid: mid(message) };
  return { type: 'FriendAgreed', data: { ...data, content: greeting } };
}

async function operations(...ids: number[]): Promise<unknown[]> {
  const rows = await world.query<{ operation: string }>(
    'select operation from read.applications where application_id = any($1) order by application_id',
    [ids],
  );
  return rows.map(({ operation }) => operation);
}

const friendsOf = (id: number) =>
  world.query('select friend, remark from read.friendships where uid = $1 order by friend', [id]);

describe('an application to be friends', () => {
  it('is pushed to its recipient', async () => {
    const before = await world.given(applied(1, 1, 2, '我是一'));
    await world.project();
    expect(await world.query('select * from read.applications where application_id = 1')).toEqual([
      {
        gid: null,
        application_id: '1',
        applicant: '1',
        recipient: '2',
        postscript: '我是一',
        operation: 'not_operated',
        timestamp: String(testTime / 1000),
      },
    ]);
    await world.append(applied(1, 1, 2, '还是我'), { time: testTime + 60_000 });
    await world.project();
    expect(await world.query('select postscript, timestamp from read.applications')).toEqual([
      { postscript: '还是我', timestamp: String(testTime / 1000 + 60) },
    ]);
    expect(await world.pushes(before)).toEqual([
      { channel: 'user-2', event: 'friendApply', data: { uid: 1 } },
    ]);
  });

  it('stays refused when the applicant applies again', async () => {
    await world.given(
      applied(2, 3, 4, ''),
      { type: 'FriendRefused', data: { applicationId: applicationId(2), from: uid(3), to: uid(4) } },
      applied(3, 3, 4, ''),
    );
    await world.project();
    expect(await operations(2, 3)).toEqual(['refuse', 'not_operated']);
  });
});

describe('a friendship', () => {
  it('begins when one agrees: it is pushed to both, and then the greeting of the person who agreed', async () => {
    await world.given(applied(10, 5, 6, ''));
    const before = await world.log.end();
    await world.given(agreed(10, 5, 6, 500));
    await world.project();
    expect(await operations(10)).toEqual(['agree']);
    expect(await friendsOf(5)).toEqual([{ friend: '6', remark: '' }]);
    expect(await friendsOf(6)).toEqual([{ friend: '5', remark: '' }]);
    expect(
      await world.query(
        `select sender, content, counted, own from read.messages where conversation = 'f5-6'`,
      ),
    ).toEqual([{ sender: '6', content: greeting, counted: '1', own: '1' }]);
    expect(
      await world.query(
        `select uid, hidden_sequence from read.inbox where conversation = 'f5-6' order by uid`,
      ),
    ).toEqual([
      { uid: '5', hidden_sequence: null },
      { uid: '6', hidden_sequence: null },
    ]);
    const pushes = await world.pushes(before);
    expect(pushes.map(({ channel, event }) => [channel, event])).toEqual([
      ['user-5', 'addFriend'],
      ['user-6', 'addFriend'],
      ['user-5', 'message'],
      ['user-6', 'message'],
    ]);
    expect(pushes[0]?.data).toEqual({ uid: 6, name: '人6', avatar: '/static/img/avatar.jpg' });
    expect(pushes[2]?.data).toMatchObject({ from: '6', to: '5', mid: 500, content: greeting });
    const places = await world.query<{ number: number }>('select number from pushes.push where place > $1', [
      before,
    ]);
    expect(places.map(({ number }) => number)).toEqual([0, 1, 2]);
  });

  it('answers the application of the other side too', async () => {
    await world.given(applied(11, 7, 8, ''), applied(12, 8, 7, ''), agreed(12, 8, 7, 501));
    await world.project();
    expect(await operations(11, 12)).toEqual(['agree', 'agree']);
  });

  it('that begins without an application answers those that are open, and is pushed to both', async () => {
    await world.given(applied(13, 9, 10, ''));
    const before = await world.log.end();
    await world.given(befriended(10, 9), befriended(9, 10));
    await world.project();
    expect(await operations(13)).toEqual(['agree']);
    expect((await world.pushes(before)).map(({ channel, data }) => [channel, data.uid])).toEqual([
      ['user-10', 9],
      ['user-9', 10],
    ]);
    expect(await world.query(`select 1 from read.inbox where conversation = 'f9-10'`)).toEqual([]);
  });
});

describe('a remark', () => {
  it('is seen by its author only, and ends with the friendship', async () => {
    await world.given(befriended(11, 12), {
      type: 'FriendRemarked',
      data: { by: uid(11), friend: uid(12), remark: '阿十二' },
    });
    await world.project();
    expect([await friendsOf(11), await friendsOf(12)]).toEqual([
      [{ friend: '12', remark: '阿十二' }],
      [{ friend: '11', remark: '' }],
    ]);
    await world.given({ type: 'Unfriended', data: { by: uid(12), friend: uid(11) } }, befriended(11, 12));
    await world.project();
    expect(await friendsOf(11)).toEqual([{ friend: '12', remark: '' }]);
  });
});

describe('the end of a friendship', () => {
  it('hides the chat from both lists, all of it read, until the next message', async () => {
    const talk = between(1, 12);
    await world.given(befriended(1, 12), sent(talk, 1, 520, 'a'), sent(talk, 12, 521, 'b'), {
      type: 'UnreadMarked',
      data: { uid: uid(1), conversation: talk, count: 5 },
    });
    const before = await world.log.end();
    const ended: DomainEvent = { type: 'Unfriended', data: { by: uid(1), friend: uid(12) } };
    await world.given(ended, ended);
    await world.project();
    expect(await friendsOf(1)).toEqual([]);
    expect(
      await world.query(`select * from read.inbox where conversation = 'f1-12' order by uid`),
    ).toMatchObject([
      { uid: '1', read_sequence: '2', hidden_sequence: '2', marked_unread: '0' },
      { uid: '12', read_sequence: '2', hidden_sequence: '2', marked_unread: '0' },
    ]);
    expect(await world.pushes(before)).toEqual([
      { channel: 'user-1', event: 'removeFriend', data: { uid: 12 } },
      { channel: 'user-12', event: 'removeFriend', data: { uid: 1 } },
    ]);
    await world.given(sent(talk, 12, 522, 'c'));
    await world.project();
    expect(
      await world.query(
        `select i.uid from read.inbox i join read.conversations c using (conversation)
          where conversation = 'f1-12' and c.last_message_sequence > i.hidden_sequence order by uid`,
      ),
    ).toEqual([{ uid: '1' }, { uid: '12' }]);
  });
});
