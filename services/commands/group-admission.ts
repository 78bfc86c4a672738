import { Refusal } from '../../contracts/codes.ts';
import type { ApplicationId, Gid, Uid } from '../../contracts/ids.ts';
import type { Ids } from '../accounts/ids.ts';
import { groupStream, mustLive } from '../domain/group.ts';
import { type Invitations, mustBeValidInvitation } from '../domain/group-invitations.ts';
import { agreeToInvitation as decide } from '../domain/group-members.ts';
import { settingStream } from '../domain/setting.ts';
import type { EventLog, Position } from '../log/log.ts';
import { findFriendsAmong, findFullOne } from '../queries/membership-counts.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';

interface Parts {
  readonly store: AggregateStore;
  readonly database: ReadDatabase;
  readonly ids: Ids;
}

/**
 * Divides people whom `by` adds to a group into those who join at once and those who are invited: with the setting
 * `group_consent` everyone who is not a friend of `by`, otherwise nobody.
 */
export async function separate(
  { store, database, ids }: Parts,
  by: Uid,
  uids: readonly Uid[],
): Promise<{ joining: readonly Uid[]; invitations: Invitations }> {
  const { state: settings } = await store.load(settingStream);
  if (settings.group_consent === 'off') return { joining: uids, invitations: [] };
  const friends = await findFriendsAmong(database, by, uids);
  const strangers = uids.filter((uid) => !friends.has(uid));
  const applicationIds = await ids.nextApplicationIds(strangers.length);
  const invitations = strangers.flatMap((uid, index) => {
    const applicationId = applicationIds[index];
    return applicationId === undefined ? [] : [{ uid, applicationId }];
  });
  return { joining: uids.filter((uid) => friends.has(uid)), invitations };
}

/**
 * Makes an invited person a member, added by the person who invited them.
 * @returns the position that includes it
 * @throws Refusal noRecord, noGroup, limitReached
 */
export async function agreeToInvitation(
  parts: Parts & { readonly log: EventLog },
  { uid, gid, applicationId }: { uid: Uid; gid: Gid; applicationId: ApplicationId },
  context: CommandContext,
): Promise<Position> {
  const { store, ids } = parts;
  const group = mustLive((await store.load(groupStream(gid))).state);
  mustBeValidInvitation(group, uid, applicationId);
  await mustHaveRoomForGroup(parts, [uid]);
  const mid = await ids.nextMid();
  const { position } = await execute(parts, groupStream(gid), context, (state) =>
    decide(state, { uid, applicationId, mid }),
  );
  return position;
}

/**
 * Refuses if one of these people is in as many groups as the setting `limit_groups` allows. It uses the read
 * models, so concurrent commands may exceed the limit by a few.
 * @throws Refusal limitReached
 */
export async function mustHaveRoomForGroup(
  { store, database }: Pick<Parts, 'store' | 'database'>,
  uids: readonly Uid[],
): Promise<void> {
  const { limit_groups } = (await store.load(settingStream)).state;
  const full = await findFullOne(database, uids, limit_groups);
  if (full === undefined) return;
  throw new Refusal('limitReached', `用户${full}加入的群组已达上限${limit_groups}个`);
}
