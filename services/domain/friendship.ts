import { Refusal } from '../../contracts/codes.ts';
import type { FriendshipEvent } from '../../contracts/events/friendship.ts';
import type { ApplicationId, Mid, Uid } from '../../contracts/ids.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

/** The text that is sent when an application is agreed to (docs/behaviour.md, Friends). */
export const agreeText = '我通过了你的好友请求,我们来聊天吧';

/**
 * So many applications that were answered are remembered, so that answering one again is answered as the
 * first time was. An older one is no record any more: deciding needs only the one that is open.
 */
export const maxRememberedApplications = 100;

interface Application {
  readonly from: Uid;
  readonly to: Uid;
  readonly outcome: 'open' | 'agreed' | 'refused';
}

/** What two people are to each other. Changed in place by `evolve`, which consumes its state. */
export interface FriendshipState {
  readonly friends: boolean;
  /** Whether they are friends, or ever were. */
  readonly everFriends: boolean;
  /** The one application that is open, if any. */
  readonly open: { readonly id: ApplicationId; readonly postscript: string } | null;
  /** The open application, and those answered last, the oldest first. */
  readonly applications: Map<ApplicationId, Application>;
  /** What each calls the other. */
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

/** The state once the open application was answered. */
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
 * `from` asks `to`. An open application of theirs takes the new text under its old id; one of the
 * other side is agreed to, with the greeting `mid`; friends already: nothing.
 * Throws notReady for an id that one of theirs has.
 */
export function apply(
  state: FriendshipState,
  command: { from: Uid; to: Uid; postscript: string; applicationId: ApplicationId; mid: Mid },
): FriendshipEvent[] {
  if (state.friends) return [];
  const { from, to, postscript, mid } = command;
  const { open, applications } = state;
  const standing = open && applications.get(open.id);
  if (open && standing?.from === to) return [agreement(open.id, standing, mid)];
  if (open?.postscript === postscript) return [];
  const applicationId = open ? open.id : command.applicationId;
  // Given a second time, as after a failover to a database that had lost the last ids: the next try gets another.
  if (!open && applications.has(applicationId)) throw new Refusal('notReady');
  return [{ type: 'FriendApplied', data: { applicationId, from, to, postscript } }];
}

/** `by` agrees to an application made to them, greeting with `mid`. Agreed already: nothing. */
export function agree(
  state: FriendshipState,
  command: { by: Uid; applicationId: ApplicationId; mid: Mid },
): FriendshipEvent[] {
  const application = received(state, command);
  if (application.outcome === 'agreed') return [];
  if (application.outcome === 'refused') throw new Refusal('alreadyAnswered', '该好友申请已拒绝,不能再同意');
  return [agreement(command.applicationId, application, command.mid)];
}

/** `by` refuses an application made to them. Refused already: nothing. */
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

/** Makes two people friends without asking (friend/add). */
export function befriend(state: FriendshipState, command: { by: Uid; friend: Uid }): FriendshipEvent[] {
  return state.friends ? [] : [{ type: 'Befriended', data: command }];
}

/** Makes them friends from the start (open_user): nothing once they have parted. */
export function befriendAtFirst(
  state: FriendshipState,
  command: { by: Uid; friend: Uid },
): FriendshipEvent[] {
  return state.everFriends ? [] : befriend(state, command);
}

/** `by` calls `friend` something else; an empty remark is none. */
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
