import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import { execute, untilDecided } from '../../services/commands/execute.ts';
import { groupStream } from '../../services/domain/group.ts';
import { createGroup } from '../../services/domain/group-commands.ts';
import { joinGroup, leaveGroup } from '../../services/domain/group-members.ts';
import { changeAccount, userStream } from '../../services/domain/user.ts';
import { decode } from '../../services/log/codec.ts';
import { context, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { gid, mid, uid } from '../support/events.ts';

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

let lastMid = 0;

async function created(id: number): Promise<void> {
  await execute(running.application, groupStream(gid(id)), context('server'), (state) =>
    createGroup(state, { gid: gid(id), owner: uid(1), members: [], mid: mid(id) }),
  );
}

async function joinings(id: number): Promise<Uid[]> {
  const joined: Uid[] = [];
  for await (const record of running.application.log.readStream(groupStream(gid(id)).name)) {
    const event = decode(record);
    if (event.type === 'MemberJoined') joined.push(event.data.uid);
  }
  return joined;
}

const join = (application: typeof running.application, id: number, who: number) =>
  execute(application, groupStream(gid(id)), context(uid(who)), (state) =>
    joinGroup(state, { uid: uid(who), mid: mid(++lastMid) }),
  );

const twoHundred = Array.from({ length: 200 }, (_, index) => index + 2);

describe('executing commands', () => {
  it('appends the decided events, which are in the state at once', async () => {
    const { application } = running;
    await created(101);
    const { events } = await join(application, 101, 2);
    expect(events).toMatchObject([{ type: 'MemberJoined', data: { uid: 2 } }]);
    const { state, revision } = await application.store.load(groupStream(gid(101)));
    expect(state?.members.has(uid(2))).toBe(true);
    expect(revision).toBe(1);
  });

  it('returns the position of the state if nothing has to change', async () => {
    const { application } = running;
    await created(102);
    const first = await join(application, 102, 2);
    const second = await join(application, 102, 2);
    expect(second).toEqual({ events: [], position: first.position });
  });

  it('stores who acted, when, and in which request', async () => {
    const { application } = running;
    const person = await register(application, '甲');
    await execute(
      application,
      userStream(person),
      { actor: `${person}`, correlationId: 'a request', time: 1_700_000_000_123 },
      (state) => changeAccount(state, { nickname: '乙' }),
    );
    const options = { direction: 'backwards', limit: 1 } as const;
    for await (const record of application.log.readStream(userStream(person).name, options)) {
      expect(record.metadata).toEqual({
        time: 1_700_000_000_123,
        actor: String(person),
        version: 1,
        $correlationId: 'a request',
        $causationId: 'a request',
      });
    }
  });

  it('executes 200 concurrent commands on one stream, each once', async () => {
    const { application } = running;
    await created(103);
    const results = await Promise.all(twoHundred.map((who) => join(application, 103, who)));
    expect(results.every(({ events }) => events.length === 1)).toBe(true);
    expect((await joinings(103)).sort((one, other) => one - other)).toEqual(twoHundred);
  });

  it('executes 200 concurrent commands of two processes on one stream, each once', async () => {
    const other = await running.another();
    await created(104);
    await Promise.all(twoHundred.map((who) => join(who % 2 === 0 ? running.application : other, 104, who)));
    expect((await joinings(104)).sort((one, another) => one - another)).toEqual(twoHundred);
  });

  it('executes the same command of many callers only once', async () => {
    const other = await running.another();
    await created(105);
    const results = await Promise.all(
      twoHundred.slice(0, 40).map((_, index) => join(index % 2 === 0 ? running.application : other, 105, 2)),
    );
    expect(results.filter(({ events }) => events.length > 0)).toHaveLength(1);
    expect(await joinings(105)).toEqual([2]);
  });

  it('decides again on what another process has appended', async () => {
    const other = await running.another();
    await created(106);
    await join(running.application, 106, 2);
    await other.store.load(groupStream(gid(106)));
    await join(running.application, 106, 3);
    // The other process may not have received 3 yet: its append conflicts, and it decides again.
    const { events } = await execute(other, groupStream(gid(106)), context(uid(3)), (state) =>
      leaveGroup(state, { uid: uid(2) }),
    );
    expect(events).toMatchObject([{ type: 'MemberLeft', data: { uid: 2 } }]);
    const { state } = await other.store.load(groupStream(gid(106)));
    expect([...(state?.members.keys() ?? [])]).toEqual([1, 3]);
  });

  it('names the stream in whose way every append was for five seconds, for the log and not for the caller', async () => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => clock.mockRestore());
    const deciding = untilDecided(groupStream(gid(108)).name, async () => {
      now += 1_000;
      return undefined;
    });
    await expect(deciding).rejects.toMatchObject({
      ...{ reason: 'notReady', message: '服务繁忙,请稍后再试' },
      cause: { message: expect.stringContaining('for 5 s every append to group-108 had a conflict') },
    });
  });

  it('runs the next command after a refused one', async () => {
    const { application } = running;
    await created(107);
    const refused = execute(application, groupStream(gid(107)), context('server'), () => {
      throw new Refusal('illegal');
    });
    const behind = join(application, 107, 2);
    await expect(refused).rejects.toMatchObject({ reason: 'illegal' });
    await expect(behind).resolves.toMatchObject({ events: [{ type: 'MemberJoined' }] });
  });
});
