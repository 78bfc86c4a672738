import { Refusal } from '../../contracts/codes.ts';
import type { FriendshipEvent } from '../../contracts/events/friendship.ts';
import type { ApplicationId, Mid, Uid } from '../../contracts/ids.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

/** The text that is sent when an application is agreed to (API document, 获得消息历史记录). */
export const agreeText = '我通过了你的好友请求,我们来聊天吧';

interface Application {
  readonly from: Uid;
  readonly to: Uid;
  readonly postscript: string;
  readonly outcome: 'open' | 'agreed' | 'refused';
}

/** What two people are to each other. At most one application between them is open. */
export interface FriendshipState {
  readonly friends: boolean;
  /** Whether they are friends, or ever were. */
  readonly everFriends: boolean;
  readonly applications: ReadonlyMap<ApplicationId, Application>;
  /** What each calls the other. */
  readonly remarks: ReadonlyMap<Uid, string>;
}

/** The stream `friendship-{lower uid}-{higher uid}`. */
export function friendshipStream(one: Uid, other: Uid): AggregateStream<FriendshipState, FriendshipEvent> {
  const name = streamName(`friendship-${Math.min(one, other)}-${Math.max(one, other)}`);
  return { aggregate: friendship, name };
}

export const friendship: Aggregate<FriendshipState, FriendshipEvent> = {
  initial: () => ({ friends: false, everFriends: false, applications: new Map(), remarks: new Map() }),
  evolve: (state, event) => {
    switch (event.type) {
      case 'FriendApplied': {
        const { applicationId, from, to, postscript } = event.data;
        const application: Application = { from, to, postscript, outcome: 'open' };
        return { ...state, applications: new Map(state.applications).set(applicationId, application) };
      }
      case 'FriendRefused':
        return { ...state, applications: settle(state, 'refused') };
      case 'FriendAgreed':
      case 'Befriended':
        return { ...state, friends: true, everFriends: true, applications: settle(state, 'agreed') };
      case 'FriendRemarked':
        return { ...state, remarks: new Map(state.remarks).set(event.data.by, event.data.remark) };
      case 'Unfriended':
        return { ...state, friends: false, remarks: new Map() };
    }
  },
  weight: (state) => 1 + state.applications.size / 10,
};

function settle(state: FriendshipState, outcome: 'agreed' | 'refused'): FriendshipState['applications'] {
  return new Map(
    [...state.applications].map(([id, application]) => [
      id,
      application.outcome === 'open' ? { ...application, outcome } : application,
    ]),
  );
}

function openApplication(state: FriendshipState): readonly [ApplicationId, Application] | undefined {
  return [...state.applications].find(([, application]) => application.outcome === 'open');
}

/**
 * `from` asks `to`. An open application of theirs takes the new text under its old id; one of the
 * other side is agreed to, with the greeting `mid`; friends already: nothing.
 */
export function apply(
  state: FriendshipState,
  command: { from: Uid; to: Uid; postscript: string; applicationId: ApplicationId; mid: Mid },
): FriendshipEvent[] {
  if (state.friends) return [];
  const { from, to, postscript, mid } = command;
  const open = openApplication(state);
  if (open && open[1].from === to) return [agreement(open[0], open[1], mid)];
  if (open && open[1].postscript === postscript) return [];
  const applicationId = open ? open[0] : command.applicationId;
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
