import type { Gid, Uid } from '../../../contracts/ids.ts';
import { type Addressee, mustMaySend } from '../../domain/conversation.ts';
import { friendshipStream } from '../../domain/friendship.ts';
import { groupStream, mayManage, mustBeIn, roleOf } from '../../domain/group.ts';
import { settingStream } from '../../domain/setting.ts';
import { mustBeActive, userStream } from '../../domain/user.ts';
import type { Decoded } from '../../log/codec.ts';
import type { EventLog } from '../../log/log.ts';
import { FoldedStream } from '../folded-stream.ts';
import type { Inquiry, Turn } from './inquiry.ts';
import { type Verdict, verdictOf } from './verdict.ts';

type Remembers = EventLog['remembersIds'];

/** An inquiry into states that are folded as the commands fold them, by a check that commands make. */
interface FoldedInquiry {
  readonly folded: readonly Pick<FoldedStream<unknown>, 'name' | 'apply'>[];
  readonly verdict: (now: number) => Verdict;
  readonly turns?: () => readonly Turn[];
  readonly missing: () => string | undefined;
}

function inquiryOf({ folded, verdict, turns = () => [], missing }: FoldedInquiry): Inquiry {
  return {
    streams: folded.map(({ name }) => name),
    apply: (event: Decoded) => {
      for (const stream of folded) stream.apply(event);
    },
    verdict,
    turns,
    missing,
  };
}

/** `person 12`, unless there is such a person. */
const lacking = (what: string, state: unknown) => (state === null ? what : undefined);

/** Whether `uid` may speak in a group: the check of sending a message to it. */
export function speaking(uid: Uid, gid: Gid, remembers: Remembers): Inquiry {
  const user = new FoldedStream(userStream(uid), remembers);
  const group = new FoldedStream(groupStream(gid), remembers);
  const settings = new FoldedStream(settingStream, remembers);
  return inquiryOf({
    folded: [user, group, settings],
    verdict: (now) =>
      verdictOf(
        () => mustMaySend(user.state, { type: 'group', group: group.state }, settings.state, now),
        () => `may speak in group ${gid}`,
        `may not speak in group ${gid}`,
      ),
    turns: () => {
      const until = group.state?.mutes.get(uid);
      return until === undefined ? [] : [{ time: until, what: 'the mute ended' }];
    },
    missing: () => lacking(`person ${uid}`, user.state) ?? lacking(`group ${gid}`, group.state),
  });
}

/** Whether `uid` may send to another person: the check of sending a message to them. */
export function sending(uid: Uid, friend: Uid, remembers: Remembers): Inquiry {
  const user = new FoldedStream(userStream(uid), remembers);
  const other = new FoldedStream(userStream(friend), remembers);
  const friendship = new FoldedStream(friendshipStream(uid, friend), remembers);
  const settings = new FoldedStream(settingStream, remembers);
  return inquiryOf({
    folded: [user, other, friendship, settings],
    verdict: (now) => {
      const addressee: Addressee = {
        type: 'friend',
        uid: friend,
        user: other.state,
        friendship: friendship.state,
      };
      return verdictOf(
        () => mustMaySend(user.state, addressee, settings.state, now),
        () => `may send messages to person ${friend}`,
        `may not send messages to person ${friend}`,
      );
    },
    missing: () => lacking(`person ${uid}`, user.state) ?? lacking(`person ${friend}`, other.state),
  });
}

/** Whether two people are friends. */
export function beingFriends(uid: Uid, friend: Uid, remembers: Remembers): Inquiry {
  const user = new FoldedStream(userStream(uid), remembers);
  const other = new FoldedStream(userStream(friend), remembers);
  const friendship = new FoldedStream(friendshipStream(uid, friend), remembers);
  return inquiryOf({
    folded: [user, other, friendship],
    verdict: () => {
      const value = friendship.state.friends;
      return { value, words: `is ${value ? 'a' : 'no'} friend of person ${friend}` };
    },
    missing: () => lacking(`person ${uid}`, user.state) ?? lacking(`person ${friend}`, other.state),
  });
}

/** Whether `uid` is in a group: the check of every call that only members may make. */
export function membership(uid: Uid, gid: Gid, remembers: Remembers): Inquiry {
  const user = new FoldedStream(userStream(uid), remembers);
  const group = new FoldedStream(groupStream(gid), remembers);
  return inquiryOf({
    folded: [user, group],
    verdict: () =>
      verdictOf(
        () => mustBeIn(group.state, uid),
        () => `is a member of group ${gid}`,
        `is no member of group ${gid}`,
      ),
    missing: () => lacking(`person ${uid}`, user.state) ?? lacking(`group ${gid}`, group.state),
  });
}

/** Whether `uid` may manage a group, as its owner or as a manager. */
export function managing(uid: Uid, gid: Gid, remembers: Remembers): Inquiry {
  const user = new FoldedStream(userStream(uid), remembers);
  const group = new FoldedStream(groupStream(gid), remembers);
  return inquiryOf({
    folded: [user, group],
    verdict: () => {
      const no = `is no manager of group ${gid}`;
      const verdict = verdictOf(
        () => mustBeIn(group.state, uid),
        (state) =>
          mayManage(state, uid) ? `manages group ${gid} as its ${roleOf(state, uid)}` : `${no}, but a member`,
        no,
      );
      const value = verdict.value === true && group.state !== null && mayManage(group.state, uid);
      return { ...verdict, value };
    },
    missing: () => lacking(`person ${uid}`, user.state) ?? lacking(`group ${gid}`, group.state),
  });
}

/** Whether an account may act: the check of every call that a disabled one may not make. */
export function beingActive(uid: Uid, remembers: Remembers): Inquiry {
  const user = new FoldedStream(userStream(uid), remembers);
  return inquiryOf({
    folded: [user],
    verdict: () =>
      verdictOf(
        () => mustBeActive(user.state),
        () => 'has an active account',
        'has no active account',
      ),
    missing: () => lacking(`person ${uid}`, user.state),
  });
}
