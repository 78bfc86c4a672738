import { Refusal } from '../../contracts/codes.ts';
import type { AllowanceEvent } from '../../contracts/events/allowance.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { Settings } from '../../contracts/settings.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

const minute = 60;
const hour = 3_600;

interface Allowance {
  readonly seconds: number;
  /** Its name in the refusal. */
  readonly what: string;
  readonly max: (settings: Settings) => number;
  /** Whether acts of the server's key for the person count, too; not for what another backend imports. */
  readonly server: boolean;
}

/** How often one person may do something within a time. */
export const allowances = {
  /** Each is a push to a stranger and a row of their list; 50 are more than anybody reads in an hour. */
  'friend applications': { seconds: hour, what: '好友申请', max: () => 50, server: true },
  'groups created': {
    seconds: hour,
    what: '创建群组',
    max: ({ limit_group_creations }) => limit_group_creations,
    server: false,
  },
  'members added': {
    seconds: hour,
    what: '邀请群成员',
    max: ({ limit_member_additions }) => limit_member_additions,
    server: false,
  },
  /** Each is a push to every friend and every group. */
  'profiles changed': { seconds: hour, what: '修改昵称或头像', max: () => 30, server: false },
  /** A gid has nine digits: at this rate finding one group of a million takes a month. */
  'joining tries': { seconds: minute, what: '加入群组', max: () => 20, server: true },
  /** Asking for a group that does not exist, or that one is not in, may be guessing, too. */
  'groups missed': { seconds: minute, what: '查询群组', max: () => 20, server: true },
} as const satisfies Record<string, Allowance>;

export type AllowanceName = keyof typeof allowances;

interface Use {
  /** Seconds since 1970. */
  readonly time: number;
  readonly count: number;
}

/** What a person did within the last hour, by allowance, the oldest first. Changed in place. */
export type AllowanceState = Map<string, Use[]>;

/** The stream `allowance-{uid}`. */
export function allowanceStream(uid: Uid): AggregateStream<AllowanceState, AllowanceEvent> {
  return { aggregate: allowance, name: streamName(`allowance-${uid}`) };
}

export const allowance: Aggregate<AllowanceState, AllowanceEvent> = {
  version: 1,
  initial: () => new Map(),
  evolve: (state, { data }, time) => {
    const uses = state.get(data.allowance) ?? [];
    const last = uses.at(-1);
    // One entry per second, so that an hour has at most 3,600.
    if (last?.time === time) uses.splice(-1, 1, { time, count: last.count + data.count });
    else uses.push({ time, count: data.count });
    const first = uses.findIndex((use) => use.time > time - hour);
    if (first > 0) uses.splice(0, first);
    return state.set(data.allowance, uses);
  },
  weight: (state) => 1 + state.values().reduce((sum, uses) => sum + uses.length, 0) / 20,
};

/**
 * Uses an allowance, `count` times at once, at `now` (whole seconds since 1970).
 * @throws Refusal tooOften, whose msg says when to try again
 */
export function useAllowance(
  state: AllowanceState,
  command: { uid: Uid; name: AllowanceName; count: number; settings: Settings; now: number },
): AllowanceEvent[] {
  const { uid, name, count, settings, now } = command;
  const { seconds, what, max: maxOf } = allowances[name];
  const max = maxOf(settings);
  if (count > max) throw new Refusal('tooOften', `${what}每次不能超过${max}个`);
  const counting = (state.get(name) ?? []).filter(({ time }) => time > now - seconds);
  let over = counting.reduce((sum, use) => sum + use.count, 0) + count - max;
  if (over <= 0) return [{ type: 'AllowanceUsed', data: { uid, allowance: name, count } }];
  // The oldest uses expire first; the last one that must have expired gives the time.
  const freeing = counting.find((use) => {
    over -= use.count;
    return over <= 0;
  });
  throw new Refusal('tooOften', `${what}过于频繁,请在${shown((freeing?.time ?? now) + seconds - now)}后再试`);
}

/** A waiting time for end users. */
function shown(seconds: number): string {
  return seconds < 2 * minute ? `${seconds}秒` : `${Math.ceil(seconds / minute)}分钟`;
}
