import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { Gid, Uid } from '../../contracts/ids.ts';
import type { Application } from '../../services/api/application.ts';
import { execute } from '../../services/commands/execute.ts';
import { removeMessage } from '../../services/commands/remove-message.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { conversationStream } from '../../services/domain/conversation.ts';
import { agree, apply, friendshipStream, refuse } from '../../services/domain/friendship.ts';
import { type GroupState, groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import { decode } from '../../services/log/codec.ts';
import type { StreamName } from '../../services/log/log.ts';
import { context, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { between, gid, inGroup } from '../support/events.ts';

/*
 * What people do at the same time, through two processes on one log: whatever comes out is what some
 * order of them would have given.
 */

const rounds = 8;

let running: RunningApplication;
let here: Application;
let there: Application;

beforeAll(async () => {
  running = await startApplication();
  here = running.application;
  there = await running.another();
});

afterAll(() => running.stop());

async function eventsOf(stream: StreamName): Promise<DomainEvent[]> {
  const events: DomainEvent[] = [];
  for await (const record of here.log.readStream(stream)) events.push(decode(record));
  return events;
}

/** `done`, or why it was refused. */
async function outcome(command: Promise<unknown>): Promise<string> {
  try {
    await command;
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

const person = () => register(here, '人');

async function applying(on: Application, from: Uid, to: Uid) {
  const [applicationId, mid] = await Promise.all([here.ids.nextApplicationId(), here.ids.nextMid()]);
  return () =>
    execute(on, friendshipStream(from, to), context(from), (state) =>
      apply(state, { from, to, postscript: '', applicationId, mid }),
    );
}

let lastGid = 2_000;

async function groupOf(owner: Uid, ...members: Uid[]): Promise<Gid> {
  const id = gid(++lastGid);
  const mid = await here.ids.nextMid();
  await execute(here, groupStream(id), context(owner), (state) =>
    groups.createGroup(state, { gid: id, owner, members, names: new Map(), mid }),
  );
  await running.shown();
  return id;
}

async function change(
  on: Application,
  group: Gid,
  decide: (state: GroupState) => ReturnType<typeof groups.dissolveGroup>,
) {
  return execute(on, groupStream(group), context('server'), decide);
}

describe('two people applying to each other at once', () => {
  it('are friends by one application and one agreement', async () => {
    for (let round = 0; round < rounds; round++) {
      const [one, other] = [await person(), await person()];
      const both = await Promise.all([applying(here, one, other), applying(there, other, one)]);
      await Promise.all(both.map((act) => act()));
      const events = await eventsOf(friendshipStream(one, other).name);
      expect(events.map(({ type }) => type)).toEqual(['FriendApplied', 'FriendAgreed']);
      const [applied, agreed] = events.map(({ data }) => data);
      expect(agreed).toMatchObject({
        applicationId: applied && 'applicationId' in applied && applied.applicationId,
        from: applied && 'from' in applied && applied.from,
      });
    }
  });
});

describe('answering an application at once', () => {
  async function applied() {
    const [one, other] = [await person(), await person()];
    const act = await applying(here, one, other);
    const { events } = await act();
    const [event] = events;
    if (event?.type !== 'FriendApplied') throw new Error('not applied');
    await there.store.load(friendshipStream(one, other));
    const { applicationId } = event.data;
    const agreeing = async (on: Application) => {
      const mid = await here.ids.nextMid();
      return execute(on, friendshipStream(one, other), context(other), (state) =>
        agree(state, { by: other, applicationId, mid }),
      );
    };
    const refusing = (on: Application) =>
      execute(on, friendshipStream(one, other), context(other), (state) =>
        refuse(state, { by: other, applicationId }),
      );
    return { stream: friendshipStream(one, other).name, agreeing, refusing };
  }

  it('agrees once, with one greeting, where one agrees many times', async () => {
    for (let round = 0; round < rounds; round++) {
      const { stream, agreeing } = await applied();
      await Promise.all([agreeing(here), agreeing(there), agreeing(here), agreeing(there)]);
      expect((await eventsOf(stream)).map(({ type }) => type)).toEqual(['FriendApplied', 'FriendAgreed']);
    }
  });

  it('lets agreeing or refusing win, and tells the other so', async () => {
    for (let round = 0; round < rounds; round++) {
      const { stream, agreeing, refusing } = await applied();
      const outcomes = await Promise.all([outcome(agreeing(here)), outcome(refusing(there))]);
      expect([...outcomes].sort()).toEqual(['alreadyAnswered', 'done']);
      const last = (await eventsOf(stream)).at(-1)?.type;
      expect(last).toBe(outcomes[0] === 'done' ? 'FriendAgreed' : 'FriendRefused');
    }
  });
});

describe('an owner removing one who is sending', () => {
  it('keeps what was acknowledged and nothing else; what is sent after is refused', async () => {
    for (let round = 0; round < 3; round++) {
      const [owner, sender] = [await person(), await person()];
      const group = await groupOf(owner, sender);
      const send = (on: Application, content: string) =>
        outcome(on.sender.send({ from: sender, to: { type: 'group', id: group }, content }, context(sender)));
      let removed = false;
      const acknowledged: string[] = [];
      const sending = async (on: Application, name: string) => {
        for (let count = 0; !removed || count < 20; count++) {
          // A refusal asks nothing of the log: without a turn of the loop the removal's answer would never come.
          await nextTurn();
          const late = removed;
          const told = await send(on, `${name}${count}`);
          if (told === 'done') acknowledged.push(`${name}${count}`);
          else expect(told).toBe('illegal');
          // Here the removal is known at once.
          if (late && on === here) expect(told).toBe('illegal');
        }
      };
      const removing = async () => {
        while (acknowledged.length < 20) {
          expect(await send(here, 'x')).toBe('done');
          acknowledged.push('x');
        }
        await change(here, group, (state) => groups.removeMembers(state, { by: owner, members: [sender] }));
      };
      const ended = removing().finally(() => {
        removed = true;
      });
      await Promise.all([sending(here, 'h'), sending(there, 't'), ended]);
      const said = (await eventsOf(conversationStream(inGroup(group)))).map(({ data }) =>
        'content' in data ? data.content : '',
      );
      expect(said.sort()).toEqual(acknowledged.sort());
      // Within the tail's delay the other process knows as well.
      await expect.poll(() => send(there, 'y')).toBe('illegal');
    }
  });
});

describe('a member added by two at once', () => {
  it('is in once, with one number and one notice of them', async () => {
    for (let round = 0; round < rounds; round++) {
      const [owner, second, added, alone] = [await person(), await person(), await person(), await person()];
      const group = await groupOf(owner, second);
      const adding = async (on: Application, by: Uid, members: Uid[]) => {
        const mid = await here.ids.nextMid();
        return change(on, group, (state) => groups.addMembers(state, { by, members, names: new Map(), mid }));
      };
      await Promise.all([adding(here, owner, [added]), adding(there, second, [added, alone])]);
      const events = await eventsOf(groupStream(group).name);
      const entered = events.flatMap((event) => (event.type === 'MembersAdded' ? event.data.members : []));
      expect(entered.sort((one, other) => one - other)).toEqual([added, alone]);
      await running.shown();
      const rows = await here.database
        .selectFrom('read.group_members')
        .select(['uid', 'index'])
        .where('gid', '=', group)
        .orderBy('index')
        .execute();
      expect(rows.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
      expect(new Set(rows.map(({ uid }) => uid)).size).toBe(4);
    }
  });

  it('is in or out, but not both, where they are removed at the same time', async () => {
    for (let round = 0; round < rounds; round++) {
      const [owner, second, third] = [await person(), await person(), await person()];
      const group = await groupOf(owner, second, third);
      const mid = await here.ids.nextMid();
      await Promise.all([
        change(here, group, (state) => groups.removeMembers(state, { by: owner, members: [third] })),
        change(there, group, (state) =>
          groups.addMembers(state, { by: second, members: [third], names: new Map(), mid }),
        ),
      ]);
      const events = await eventsOf(groupStream(group).name);
      const last = events.at(-1)?.type;
      await running.shown();
      const row = await here.database
        .selectFrom('read.group_members')
        .select('uid')
        .where('gid', '=', group)
        .where('uid', '=', third)
        .executeTakeFirst();
      expect(row !== undefined).toBe(last === 'MembersAdded');
      // What the other process appended comes over the log's tail, which the read models do not wait for.
      const known = async () => (await here.store.load(groupStream(group))).revision;
      await expect.poll(known).toBe(events.length - 1);
      const { state } = await here.store.load(groupStream(group));
      expect(state?.members.has(third)).toBe(last === 'MembersAdded');
    }
  });
});

describe('a mute that ends while one is sending', () => {
  const until = 1_800_000_000;

  async function mutedGroup() {
    const [owner, sender] = [await person(), await person()];
    const group = await groupOf(owner, sender);
    const mid = await here.ids.nextMid();
    await change(here, group, (state) =>
      groups.muteMember(state, {
        ...{ by: owner, uid: sender, time: until, now: until - 60 },
        ...{ names: new Map(), mid },
      }),
    );
    await expect.poll(async () => (await there.store.load(groupStream(group))).revision).toBe(1);
    return { owner, sender, group };
  }

  it('lets through exactly what is sent from its last second on', async () => {
    const { sender, group } = await mutedGroup();
    const times = Array.from({ length: 40 }, (_, index) => until - 2 + Math.floor(index / 10));
    const outcomes = await Promise.all(
      times.map((time, index) =>
        outcome(
          (index % 2 ? here : there).sender.send(
            { from: sender, to: { type: 'group', id: group }, content: `${time}` },
            context(sender, time * 1000),
          ),
        ),
      ),
    );
    expect(outcomes).toEqual(times.map((time) => (time < until ? 'muted' : 'done')));
    const said = await eventsOf(conversationStream(inGroup(group)));
    expect(said).toHaveLength(20);
  });

  it('keeps what was acknowledged and nothing else where it is ended meanwhile', async () => {
    const { owner, sender, group } = await mutedGroup();
    const mid = await here.ids.nextMid();
    const ending = change(here, group, (state) =>
      groups.muteMember(state, {
        ...{ by: owner, uid: sender, time: 0, now: until - 30 },
        ...{ names: new Map(), mid },
      }),
    );
    const sends = Array.from({ length: 30 }, (_, index) =>
      outcome(
        (index % 2 ? here : there).sender.send(
          { from: sender, to: { type: 'group', id: group }, content: `${index}` },
          context(sender, (until - 30) * 1000),
        ),
      ),
    );
    await ending;
    const outcomes = await Promise.all(sends);
    const said = await eventsOf(conversationStream(inGroup(group)));
    expect(said).toHaveLength(outcomes.filter((told) => told === 'done').length);
    expect(new Set(outcomes)).not.toContain('illegal');
    const after = here.sender.send(
      { from: sender, to: { type: 'group', id: group }, content: 'after' },
      context(sender, (until - 30) * 1000),
    );
    expect(await outcome(after)).toBe('done');
  });
});

describe('an owner handing over to two at once', () => {
  it('leaves one owner', async () => {
    for (let round = 0; round < rounds; round++) {
      const [owner, second, third] = [await person(), await person(), await person()];
      const group = await groupOf(owner, second, third);
      const outcomes = await Promise.all([
        outcome(change(here, group, (state) => groups.transferGroup(state, { by: owner, to: second }))),
        outcome(change(there, group, (state) => groups.transferGroup(state, { by: owner, to: third }))),
      ]);
      expect([...outcomes].sort()).toEqual(['done', 'illegal']);
    }
  });
});

describe('a message revoked by many at once', () => {
  it('is told of once', async () => {
    const [one, other] = [await person(), await person()];
    const { mid } = await here.sender.send(
      { from: one, to: { type: 'friend', id: other }, content: 'x' },
      context(one),
    );
    await running.shown();
    await Promise.all(
      [here, there, here, there].map((on) =>
        removeMessage(on, 'revoke', { by: one, chat: { type: 'friend', id: other }, mid }, context(one)),
      ),
    );
    await running.shown();
    const pushes = await sql`
      select from read.push where channel = ${`user-${other}`} and event = 'revoke'`.execute(here.database);
    expect(pushes.rows).toHaveLength(1);
    const conversation = streamName(`conversation-${between(one, other)}`);
    expect((await eventsOf(conversation)).length).toBeGreaterThanOrEqual(2);
  });
});
