import { describe, expect, it } from 'vitest';
import type { Uid } from '../../contracts/ids.ts';
import type { Application } from '../../services/api/application.ts';
import { groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import { change, outcome, rounds, useTwoApplications } from './races-harness.ts';

const world = useTwoApplications();
const { person, eventsOf, groupOf } = world;

describe('a member who is added by two people at once', () => {
  it('is added once, with one number and one notice', async () => {
    for (let round = 0; round < rounds; round++) {
      const [owner, second, added, alone] = [await person(), await person(), await person(), await person()];
      const group = await groupOf(owner, second);
      const adding = async (on: Application, by: Uid, members: Uid[]) => {
        const mid = await world.here.ids.nextMid();
        return change(on, group, (state) => groupMembers.addMembers(state, { by, members, mid }));
      };
      await Promise.all([adding(world.here, owner, [added]), adding(world.there, second, [added, alone])]);
      const events = await eventsOf(groupStream(group).name);
      const entered = events.flatMap((event) => (event.type === 'MembersAdded' ? event.data.members : []));
      expect(entered.sort((one, other) => one - other)).toEqual([added, alone]);
      await world.running.shown();
      const rows = await world.here.database
        .selectFrom('read.group_members')
        .select(['uid', 'index'])
        .where('gid', '=', group)
        .orderBy('index')
        .execute();
      expect(rows.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
      expect(new Set(rows.map(({ uid }) => uid)).size).toBe(4);
    }
  });

  it('is a member or not, the same in log and read models, if they are also removed', async () => {
    for (let round = 0; round < rounds; round++) {
      const [owner, second, third] = [await person(), await person(), await person()];
      const group = await groupOf(owner, second, third);
      const mid = await world.here.ids.nextMid();
      await Promise.all([
        change(world.here, group, (state) =>
          groupMembers.removeMembers(state, { by: owner, members: [third] }),
        ),
        change(world.there, group, (state) =>
          groupMembers.addMembers(state, { by: second, members: [third], mid }),
        ),
      ]);
      const events = await eventsOf(groupStream(group).name);
      const last = events.at(-1)?.type;
      await world.running.shown();
      const row = await world.here.database
        .selectFrom('read.group_members')
        .select('uid')
        .where('gid', '=', group)
        .where('uid', '=', third)
        .executeTakeFirst();
      expect(row !== undefined).toBe(last === 'MembersAdded');
      // This process gets the other's events by its subscription, perhaps later than the read models.
      const known = async () => (await world.here.store.load(groupStream(group))).revision;
      await expect.poll(known).toBe(events.length - 1);
      const { state } = await world.here.store.load(groupStream(group));
      expect(state?.members.has(third)).toBe(last === 'MembersAdded');
    }
  });
});

describe('an owner who hands a group over to two people at once', () => {
  it('succeeds once', async () => {
    for (let round = 0; round < rounds; round++) {
      const [owner, second, third] = [await person(), await person(), await person()];
      const group = await groupOf(owner, second, third);
      const outcomes = await Promise.all([
        outcome(change(world.here, group, (state) => groups.transferGroup(state, { by: owner, to: second }))),
        outcome(change(world.there, group, (state) => groups.transferGroup(state, { by: owner, to: third }))),
      ]);
      expect([...outcomes].sort()).toEqual(['done', 'illegal']);
    }
  });
});
