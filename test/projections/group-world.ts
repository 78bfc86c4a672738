import { afterAll, beforeAll } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { gid, mid, registered, uid } from '../support/events.ts';
import { openWorld, type World } from '../support/projecting.ts';

let lastMid = 1000;

/** The mid of a notice. */
export const nextMid = () => mid(++lastMid);

type Added = Extract<DomainEvent, { type: 'MembersAdded' }>;

export function added(group: number, by: number, ...members: number[]): Added {
  const data = { gid: gid(group), by: uid(by), members: members.map(uid), noticeMid: nextMid() };
  return { type: 'MembersAdded', data };
}

/** As version 1 recorded it, or with the faces of the picture after it. */
export function left(group: number, who: number, faces: readonly number[] | null = null): DomainEvent {
  return { type: 'MemberLeft', data: { gid: gid(group), uid: uid(who), faces: faces?.map(uid) ?? null } };
}

/** A world of a test file with twelve people, 人1 to 人12, and what its tests of groups ask of it. */
export function groupWorld() {
  let world: World;

  beforeAll(async () => {
    world = await openWorld();
    for (let id = 1; id <= 12; id++) await world.given(registered(id, `人${id}`));
  });

  afterAll(() => world.close());

  return {
    given: (...events: DomainEvent[]) => world.given(...events),
    project: () => world.project(),
    query: <Row>(text: string, values?: unknown[]) => world.query<Row>(text, values),

    membersOf: (group: number) =>
      world.query(
        'select uid, index, role, joined_sequence from read.group_members where gid = $1 order by index',
        [group],
      ),

    groupRow: async (group: number) =>
      (await world.query<Record<string, unknown>>('select * from read.groups where gid = $1', [group]))[0],

    /** Appends and projects events, and returns what they pushed: channel, event, data. */
    async pushedBy(...events: DomainEvent[]) {
      const before = await world.log.end();
      await world.given(...events);
      await world.project();
      return (await world.pushes(before)).map(({ channel, event, data }) => [channel, event, data] as const);
    },
  };
}
