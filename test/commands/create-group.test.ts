import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { Application } from '../../services/api/application.ts';
import { createGroupOnce } from '../../services/commands/create-group.ts';
import { execute } from '../../services/commands/execute.ts';
import { type GroupState, groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import { context, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { gid, uid } from '../support/events.ts';

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

const permit = async (members: readonly Uid[]) => ({
  members,
  invitations: [],
});

function create(
  owner: Uid,
  members: readonly Uid[],
  repeatable: { uniqueId?: string; requestHash?: string } = {},
  { on = running.application, permitted = permit }: { on?: Application; permitted?: typeof permit } = {},
) {
  const { uniqueId, requestHash = 'hash' } = repeatable;
  const command = { owner, permit: () => permitted(members) };
  return createGroupOnce(on, command, { uniqueId, requestHash }, context(owner));
}

const person = () => register(running.application, '人');

describe('creating a group', () => {
  it('gives it a random gid of nine digits', async () => {
    const owner = await person();
    const gids = new Set<number>();
    for (let index = 0; index < 5; index++) gids.add((await create(owner, [])).gid);
    expect(gids.size).toBe(5);
    for (const one of gids) expect(String(one)).toMatch(/^[1-9]\d{8}$/);
  });

  it('adds owner and members, visible at once', async () => {
    const [owner, member] = [await person(), await person()];
    const created = await create(owner, [member]);
    const { state, position } = await running.application.store.load(groupStream(created.gid));
    expect([...(state?.members.keys() ?? [])]).toEqual([owner, member]);
    expect(created.position).toBe(position);
  });

  it('does nothing if it is not permitted', async () => {
    const owner = await person();
    const end = await running.application.log.end();
    const permitted = () => Promise.reject(new Refusal('createGroupOff'));
    await expect(create(owner, [], {}, { permitted })).rejects.toMatchObject({ reason: 'createGroupOff' });
    expect(await running.application.log.end()).toBe(end);
  });
});

describe('creating a group again with the same uniqueId', () => {
  it('returns the same group', async () => {
    const owner = await person();
    const first = await create(owner, [], { uniqueId: 'a' });
    expect((await create(owner, [], { uniqueId: 'a' })).gid).toBe(first.gid);
    expect((await create(owner, [], { uniqueId: 'b' })).gid).not.toBe(first.gid);
    expect((await create(await person(), [], { uniqueId: 'a' })).gid).not.toBe(first.gid);
  });

  it('returns one group to twenty requests at once, over two processes', async () => {
    const other = await running.another();
    const owner = await person();
    const created = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        create(owner, [], { uniqueId: 'once' }, { on: index % 2 ? other : running.application }),
      ),
    );
    expect(new Set(created.map((one) => one.gid)).size).toBe(1);
    await running.shown();
    const rows = await running.application.database
      .selectFrom('read.groups')
      .select('gid')
      .where('owner', '=', owner)
      .execute();
    expect(rows).toHaveLength(1);
  });

  it('is refused for another request', async () => {
    const owner = await person();
    await create(owner, [], { uniqueId: 'a' });
    await expect(create(owner, [], { uniqueId: 'a', requestHash: 'other' })).rejects.toMatchObject({
      reason: 'illegal',
    });
  });

  it('returns the group even if creating would be refused now, and after it was dissolved', async () => {
    const [owner, heir] = [await person(), await person()];
    const { gid: created } = await create(owner, [heir], { uniqueId: 'a' });
    const permitted = () => Promise.reject(new Refusal('disabled'));
    const again = async () => (await create(owner, [heir], { uniqueId: 'a' }, { permitted })).gid;
    expect(await again()).toBe(created);
    const change = (decide: (state: GroupState) => ReturnType<typeof groups.dissolveGroup>) =>
      execute(running.application, groupStream(created), context('server'), decide);
    await change((state) => groups.transferGroup(state, { by: owner, to: heir }));
    expect(await again()).toBe(created);
    await change((state) => groupMembers.leaveGroup(state, { uid: owner }));
    expect(await again()).toBe(created);
    await change((state) => groups.dissolveGroup(state, { by: heir }));
    expect(await again()).toBe(created);
  });

  it('completes a creation that ended between the claim and the group', async () => {
    const owner = await person();
    const claimed = gid(987_654_321);
    await running.application.createdGroups.claimGroup(owner, 'a', claimed, 'hash');
    expect((await create(owner, [], { uniqueId: 'a' })).gid).toBe(claimed);
    expect((await create(owner, [], { uniqueId: 'a' })).gid).toBe(claimed);
  });

  it('is possible with another request after one that was not permitted', async () => {
    const owner = await person();
    const permitted = () => Promise.reject(new Refusal('noUser'));
    await expect(create(owner, [], { uniqueId: 'a' }, { permitted })).rejects.toMatchObject({
      reason: 'noUser',
    });
    const corrected = { uniqueId: 'a', requestHash: 'corrected' };
    const { gid: first } = await create(owner, [], corrected);
    expect((await create(owner, [], corrected)).gid).toBe(first);
  });

  it('is possible with another request after one with too many members', async () => {
    const owner = await person();
    const many = Array.from({ length: groupMembers.maxMembers }, (_, index) => uid(1_000_000 + index));
    await expect(create(owner, many, { uniqueId: 'a' })).rejects.toMatchObject({ reason: 'illegal' });
    await create(owner, [], { uniqueId: 'a', requestHash: 'corrected' });
  });

  it('uses another gid if the claimed one belongs to another person’s group', async () => {
    const [owner, stranger] = [await person(), await person()];
    const taken = gid(123_456_789);
    const mid = await running.application.ids.nextMid();
    await execute(running.application, groupStream(taken), context(stranger), (state) =>
      groups.createGroup(state, { gid: taken, owner: stranger, members: [], mid }),
    );
    await running.application.createdGroups.claimGroup(owner, 'a', taken, 'hash');
    const created = await Promise.all([
      create(owner, [], { uniqueId: 'a' }),
      create(owner, [], { uniqueId: 'a' }),
    ]);
    expect(created[0].gid).not.toBe(taken);
    expect(created[1].gid).toBe(created[0].gid);
    expect((await create(owner, [], { uniqueId: 'a' })).gid).toBe(created[0].gid);
  });
});
