import { Refusal } from '../../contracts/codes.ts';
import type { FriendshipEvent } from '../../contracts/events/friendship.ts';
import type { ApplicationId, Mid, Uid } from '../../contracts/ids.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

/** The message that agreeing to an application sends (docs/behaviour.md, Friends). */
export const agreeText = '我通过了你的好友请求,我们来聊天吧';

/**
 * Answered applications that are remembered, so that a repeated answer gets the same result. An older one counts as
 * missing; only the open one is needed for deciding.
 */
export const maxRememberedApplications = 100;

interface Application {
  readonly from: Uid;
  readonly to: Uid;
  readonly outcome: 'open' | 'agreed' | 'refused';
}

/** The relation of two people. Changed in place by `evolve`. */
export interface FriendshipState {
  readonly friends: boolean;
  /** Whether they are or were friends. */
  readonly everFriends: boolean;
  /** The open application, of which there is at most one. */
  readonly open: { readonly id: ApplicationId; readonly postscript: string } | null;
  /** The open application and the last answered ones, the oldest first. */
  readonly applications: Map<ApplicationId, Application>;
  /** The name that each gives the other. */
  readonly remarks: Map<Uid, string>;
}

/** The stream `friendship-{lower uid}-{higher uid}`. */
export function friendshipStream(one: Uid, other: Uid): AggregateStream<FriendshipState, FriendshipEvent> {
  const name = streamName(`friendship-${Math.min(one, other)}-${Math.max(one, other)}`);
  return { aggregate: friendship, name };
}

export const friendship: Aggregate<FriendshipState, FriendshipEvent> = {
  version: 1,
  initial: () => ({
    friends: false,
    everFriends: false,
    open: null,
    applications: new Map(),
    remarks: new Map(),
  }),
  evolve: (state, event) => {
    switch (event.type) {
      case 'FriendApplied': {
        const { applicationId: id, from, to, postscript } = event.data;
        state.applications.set(id, { from, to, outcome: 'open' });
        return { ...state, open: { id, postscript } };
      }
      case 'FriendRefused':
        return settle(state, 'refused');
      case 'FriendAgreed':
      case 'Befriended':
        return { ...settle(state, 'agreed'), friends: true, everFriends: true };
      case 'FriendRemarked':
        state.remarks.set(event.data.by, event.data.remark);
        return state;
      case 'Unfriended':
        state.remarks.clear();
        return { ...state, friends: false };
    }
  },
  weight: (state) => 1 + state.applications.size / 10,
};

/** The state after the open application was answered. */
function settle(state: FriendshipState, outcome: 'agreed' | 'refused'): FriendshipState {
  const { open, applications } = state;
  const application = open && applications.get(open.id);
  if (!application) return state;
  applications.set(open.id, { ...application, outcome });
  if (applications.size > maxRememberedApplications) {
    for (const [oldest] of applications.entries().take(1)) applications.delete(oldest);
  }
  return { ...state, open: null };
}

/**
 * `from` applies to `to`. An open application of theirs gets the new text under its old id; one of the other side is
 * agreed to, with the greeting `mid`. Friends already: nothing.
 * @throws Refusal notReady for an id that another application of theirs has
 */
export function apply(
  state: FriendshipState,
  command: { from: Uid; to: Uid; postscript: string; applicationId: ApplicationId; mid: Mid },
): FriendshipEvent[] {
  if (state.friends) return [];
  const { from, to, postscript, mid } = command;
  const { open, applications } = state;
  const current = open && applications.get(open.id);
  if (open && current?.from === to) return [agreement(open.id, current, mid)];
  if (open?.postscript === postscript) return [];
  const applicationId = open ? open.id : command.applicationId;
  // The id was given twice, as after a failover to a database that lost the last ids; a repeat gets another id.
  if (!open && applications.has(applicationId)) throw new Refusal('notReady');
  return [{ type: 'FriendApplied', data: { applicationId, from, to, postscript } }];
}

/**
 * `by` agrees to an application to them, with the greeting `mid`. Agreed already: nothing.
 * @throws Refusal noRecord, alreadyAnswered
 */
export function agree(
  state: FriendshipState,
  command: { by: Uid; applicationId: ApplicationId; mid: Mid },
): FriendshipEvent[] {
  const application = received(state, command);
  if (application.outcome === 'agreed') return [];
  if (application.outcome === 'refused') throw new Refusal('alreadyAnswered', '该好友申请已拒绝,不能再同意');
  return [agreement(command.applicationId, application, command.mid)];
}

/**
 * `by` refuses an application to them. Refused already: nothing.
 * @throws Refusal noRecord, alreadyAnswered
 */
export function refuse(
  state: FriendshipState,
  command: { by: Uid; applicationId: ApplicationId },
): FriendshipEvent[] {
  const { applicationId } = command;
  const { from, to, outcome } = received(state, command);
  if (outcome === 'refused') return [];
  if (outcome === 'agreed') throw new Refusal('alreadyAnswered', '该好友申请已同意,不能再拒绝');
  return [{ type: 'FriendRefused', data: { applicationId, from, to } }];
}

function received(state: FriendshipState, { by, applicationId }: { by: Uid; applicationId: ApplicationId }) {
  const application = state.applications.get(applicationId);
  if (application?.to !== by) throw new Refusal('noRecord', '好友申请不存在');
  return application;
}

function agreement(applicationId: ApplicationId, application: Application, mid: Mid): FriendshipEvent {
  const { from, to } = application;
  return { type: 'FriendAgreed', data: { applicationId, from, to, mid, content: agreeText } };
}

/** Makes two people friends without an application (friend/add). */
export function befriend(state: FriendshipState, command: { by: Uid; friend: Uid }): FriendshipEvent[] {
  return state.friends ? [] : [{ type: 'Befriended', data: command }];
}

/** Makes two people friends who never were (open_user). */
export function befriendAtFirst(
  state: FriendshipState,
  command: { by: Uid; friend: Uid },
): FriendshipEvent[] {
  return state.everFriends ? [] : befriend(state, command);
}

/** Changes the name that `by` gives `friend`; an empty one removes it. @throws Refusal illegal */
export function remark(
  state: FriendshipState,
  command: { by: Uid; friend: Uid; remark: string },
): FriendshipEvent[] {
  if (!state.friends) throw new Refusal('illegal', '对方不是你的好友');
  if ((state.remarks.get(command.by) ?? '') === command.remark) return [];
  return [{ type: 'FriendRemarked', data: command }];
}

/** Ends a friendship, for both. */
export function unfriend(state: FriendshipState, command: { by: Uid; friend: Uid }): FriendshipEvent[] {
  return state.friends ? [{ type: 'Unfriended', data: command }] : [];
}

/** Ends what two people are to each other, since `by` is gone for good: an open application counts as refused. */
export function partForGood(state: FriendshipState, command: { by: Uid; friend: Uid }): FriendshipEvent[] {
  const { open, applications } = state;
  const application = open && applications.get(open.id);
  if (!open || !application) return unfriend(state, command);
  const { from, to } = application;
  return [{ type: 'FriendRefused', data: { applicationId: open.id, from, to } }, ...unfriend(state, command)];
}
