import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Application } from '../../services/api/application.ts';
import { removeMessage } from '../../services/commands/remove-message.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { conversationStream } from '../../services/domain/conversation.ts';
import { groupStream } from '../../services/domain/group.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import * as groupMutes from '../../services/domain/group-mutes.ts';
import { context } from '../support/acting.ts';
import { between, inGroup } from '../support/events.ts';
import { change, outcome, useTwoApplications } from './races-harness.ts';

const world = useTwoApplications();
const { person, eventsOf, groupOf } = world;

describe('an owner who removes a member while they send', () => {
  it('leaves exactly the acknowledged messages, and later ones are refused', async () => {
    for (let round = 0; round < 3; round++) {
      const [owner, sender] = [await person(), await person()];
      const group = await groupOf(owner, sender);
      const send = (on: Application, content: string) =>
        outcome(on.sender.send({ from: sender, to: { type: 'group', id: group }, content }, context(sender)));
      let removed = false;
      const acknowledged: string[] = [];
      const sending = async (on: Application, name: string) => {
        for (let count = 0; !removed || count < 20; count++) {
          // A refusal does not wait for the log: without this the answer to the removal would never be processed.
          await nextTurn();
          const late = removed;
          const result = await send(on, `${name}${count}`);
          if (result === 'done') acknowledged.push(`${name}${count}`);
          else expect(result).toBe('illegal');
          // This process knows the removal at once.
          if (late && on === world.here) expect(result).toBe('illegal');
        }
      };
      const removing = async () => {
        while (acknowledged.length < 20) {
          expect(await send(world.here, 'x')).toBe('done');
          acknowledged.push('x');
        }
        await change(world.here, group, (state) =>
          groupMembers.removeMembers(state, { by: owner, members: [sender] }),
        );
      };
      const ended = removing().finally(() => {
        removed = true;
      });
      await Promise.all([sending(world.here, 'h'), sending(world.there, 't'), ended]);
      const said = (await eventsOf(conversationStream(inGroup(group)))).map(({ data }) =>
        'content' in data ? data.content : '',
      );
      expect(said.sort()).toEqual(acknowledged.sort());
      // The other process gets it by its subscription.
      await expect.poll(() => send(world.there, 'y')).toBe('illegal');
    }
  });
});

describe('a mute that ends while its person sends', () => {
  const until = 1_800_000_000;

  async function mutedGroup() {
    const [owner, sender] = [await person(), await person()];
    const group = await groupOf(owner, sender);
    const mid = await world.here.ids.nextMid();
    await change(world.here, group, (state) =>
      groupMutes.muteMember(state, {
        ...{ by: owner, uid: sender, time: until, now: until - 60 },
        mid,
      }),
    );
    await expect.poll(async () => (await world.there.store.load(groupStream(group))).revision).toBe(1);
    return { owner, sender, group };
  }

  it('refuses exactly the messages before its last second', async () => {
    const { sender, group } = await mutedGroup();
    const times = Array.from({ length: 40 }, (_, index) => until - 2 + Math.floor(index / 10));
    const outcomes = await Promise.all(
      times.map((time, index) =>
        outcome(
          (index % 2 ? world.here : world.there).sender.send(
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

  it('leaves exactly the acknowledged messages if it is removed meanwhile', async () => {
    const { owner, sender, group } = await mutedGroup();
    const mid = await world.here.ids.nextMid();
    const ending = change(world.here, group, (state) =>
      groupMutes.muteMember(state, {
        ...{ by: owner, uid: sender, time: 0, now: until - 30 },
        mid,
      }),
    );
    const sends = Array.from({ length: 30 }, (_, index) =>
      outcome(
        (index % 2 ? world.here : world.there).sender.send(
          { from: sender, to: { type: 'group', id: group }, content: `${index}` },
          context(sender, (until - 30) * 1000),
        ),
      ),
    );
    await ending;
    const outcomes = await Promise.all(sends);
    const said = await eventsOf(conversationStream(inGroup(group)));
    expect(said).toHaveLength(outcomes.filter((result) => result === 'done').length);
    expect(new Set(outcomes)).not.toContain('illegal');
    const after = world.here.sender.send(
      { from: sender, to: { type: 'group', id: group }, content: 'after' },
      context(sender, (until - 30) * 1000),
    );
    expect(await outcome(after)).toBe('done');
  });
});

describe('a message that is revoked by several requests at once', () => {
  it('is pushed as revoked once', async () => {
    const [one, other] = [await person(), await person()];
    const { mid } = await world.here.sender.send(
      { from: one, to: { type: 'friend', id: other }, content: 'x' },
      context(one),
    );
    await world.running.shown();
    await Promise.all(
      [world.here, world.there, world.here, world.there].map((on) =>
        removeMessage(on, 'revoke', { by: one, chat: { type: 'friend', id: other }, mid }, context(one)),
      ),
    );
    await world.running.shown();
    const pushes = await sql`
      select from pushes.push where channel = ${`user-${other}`} and event = 'revoke'`.execute(
      world.here.database,
    );
    expect(pushes.rows).toHaveLength(1);
    const conversation = streamName(`conversation-${between(one, other)}`);
    expect((await eventsOf(conversation)).length).toBeGreaterThanOrEqual(2);
  });
});
