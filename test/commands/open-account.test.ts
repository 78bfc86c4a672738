import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Uid } from '../../contracts/ids.ts';
import { execute } from '../../services/commands/execute.ts';
import { type OpenAccount, openAccount } from '../../services/commands/open-account.ts';
import { friendshipStream, unfriend } from '../../services/domain/friendship.ts';
import { type EventLog, LogFailure } from '../../services/log/log.ts';
import { context, registerMember, requester } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { wrapLog } from '../support/wrapped-log.ts';

let running: RunningApplication;
let member: Uid;

beforeAll(async () => {
  running = await startApplication();
  member = await registerMember(running.application, '会员');
});

afterAll(() => running.stop());

let usernames = 0;
const account = (changes: Partial<OpenAccount> = {}): OpenAccount => ({
  ...{ parent: member, username: `opened${++usernames}`, nickname: '小猫', avatar: '', sign: '' },
  password: 'secret-1',
  ...changes,
});

const open = (command: OpenAccount, log: EventLog = running.application.log) =>
  openAccount({ ...running.application, log }, command, requester, context(command.parent));

const areFriends = async (uid: Uid) =>
  (await running.application.store.load(friendshipStream(member, uid))).state.friends;

/** The log itself, but that it ends at the first friendship that is to be appended. */
function endingBeforeFriendship(log: EventLog, kind: LogFailure['kind']): EventLog {
  return wrapLog(log, {
    append: async (stream, expected, events) => {
      const isFriendship = stream.startsWith('friendship-');
      const result =
        isFriendship && kind === 'unavailable' ? undefined : await log.append(stream, expected, events);
      if (result && !isFriendship) return result;
      throw new LogFailure(kind, 'ended between the two appends');
    },
  });
}

async function lengthOfLog(): Promise<number> {
  return (await Array.fromAsync(running.application.log.readAll())).length;
}

describe('opening an account below one’s own', () => {
  it('that ended between its two appends is completed by its repeat', async () => {
    const command = account();
    const failing = endingBeforeFriendship(running.application.log, 'unavailable');
    await expect(open(command, failing)).rejects.toThrow('ended between');
    const half = await running.application.names.byUsername(command.username);
    if (!half) throw new Error('the account was not registered');
    expect(await areFriends(half.uid)).toBe(false);

    expect(await open(command)).toMatchObject({ uid: half.uid });
    expect(await areFriends(half.uid)).toBe(true);
  });

  it('that is doubtful is not done twice when repeated', async () => {
    const command = account();
    const before = await lengthOfLog();
    const doubtful = endingBeforeFriendship(running.application.log, 'doubtful');
    await expect(open(command, doubtful)).rejects.toThrow('ended between');
    // Another process, which knows of the first only what the log holds.
    const other = await running.another();
    const { uid } = await openAccount(other, command, requester, context(member));
    expect(await areFriends(uid)).toBe(true);
    expect(await lengthOfLog()).toBe(before + 2);
  });

  it('returns the same to many concurrent repeats, and is done once', async () => {
    const command = account();
    const { uid } = await open(command);
    const before = await lengthOfLog();
    const repeats = await Promise.all(Array.from({ length: 5 }, () => open(command)));
    expect(new Set(repeats.map((repeat) => repeat.uid))).toEqual(new Set([uid]));
    expect(await lengthOfLog()).toBe(before);
  });

  it('is not repeated by a call with another profile, password or caller', async () => {
    const command = account();
    const other = await registerMember(running.application, '另一个会员');
    await open(command);
    const taken = { reason: 'illegal', message: '用户名已被占用' };
    for (const changes of [{ nickname: '大猫' }, { sign: '喵' }, { avatar: 'a.jpg' }, { parent: other }]) {
      await expect(open({ ...command, ...changes })).rejects.toMatchObject(taken);
    }
    await expect(open({ ...command, password: 'secret-2' })).rejects.toMatchObject(taken);
  });

  it('does not restore a friendship that was ended', async () => {
    const { application } = running;
    const command = account();
    const { uid } = await open(command);
    await execute(application, friendshipStream(member, uid), context(uid), (state) =>
      unfriend(state, { by: uid, friend: member }),
    );
    expect(await open(command)).toMatchObject({ uid });
    expect(await areFriends(uid)).toBe(false);
  });
});
