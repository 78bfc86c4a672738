import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import * as friend from '../../contracts/http/friend.ts';
import { ApplicationId, type Uid } from '../../contracts/ids.ts';
import { changeChat } from '../commands/change-chat.ts';
import { execute } from '../commands/execute.ts';
import { agreeToInvitation } from '../commands/group-admission.ts';
import { useAllowance } from '../commands/use-allowance.ts';
import {
  agree,
  apply,
  befriend,
  friendshipStream,
  refuse,
  remark as remarkFriend,
  unfriend,
} from '../domain/friendship.ts';
import { groupStream } from '../domain/group.ts';
import { refuseInvitation } from '../domain/group-invitations.ts';
import { settingStream } from '../domain/setting.ts';
import { mustBeActive, mustExist, userStream } from '../domain/user.ts';
import {
  countOpenApplications,
  findApplication,
  findApplications,
  findContacts,
  findTemporaryContacts,
} from '../queries/contacts.ts';
import type { Application } from './application.ts';
import { carriedOut, serve, shownAt } from './route.ts';

/** Friends and applications (docs/behaviour.md, Friends). */
export function friendRoutes(server: FastifyInstance, application: Application): void {
  const { store, ids, database, presence } = application;

  const user = async (uid: Uid) => (await store.load(userStream(uid))).state;
  const mustBeOthers = (me: Uid, other: Uid) => {
    if (me === other) throw new Refusal('illegal', '参数friend_uid不能是自己');
  };
  const received = async (me: Uid, nid: number) => {
    const found = await findApplication(database, me, ApplicationId.parse(nid));
    if (!found) throw new Refusal('noRecord', '好友申请不存在');
    return found;
  };

  serve(server, application, friend.friendApply, async ({ parameters, me, context }) => {
    const { friend_uid: to, postscript } = parameters;
    const from = me();
    mustBeOthers(from, to);
    mustBeActive(await user(from));
    const { state: settings } = await store.load(settingStream);
    if (settings.add_friend === 'off') throw new Refusal('addFriendOff');
    mustExist(await user(to));
    const [applicationId, mid] = await Promise.all([ids.nextApplicationId(), ids.nextMid()]);
    const command = { from, to, postscript, applicationId, mid };
    const stream = friendshipStream(from, to);
    // Agreeing to the other's application, and what changes nothing, are no applications.
    const applies = apply((await store.load(stream)).state, command).some(
      ({ type }) => type === 'FriendApplied',
    );
    if (applies) await useAllowance(application, from, 'friend applications', context);
    const { position } = await execute(application, stream, context, (state) => apply(state, command));
    return shownAt(position);
  });

  serve(server, application, friend.friendAgree, async ({ parameters: { nid }, me, context }) => {
    const by = me();
    mustBeActive(await user(by));
    const { from, gid, operation } = await received(by, nid);
    const applicationId = ApplicationId.parse(nid);
    if (gid !== null) {
      if (operation === 'agree') return carriedOut;
      if (operation === 'refuse') throw new Refusal('alreadyAnswered', '该入群邀请已拒绝,不能再同意');
      return shownAt(await agreeToInvitation(application, { uid: by, gid, applicationId }, context));
    }
    const mid = await ids.nextMid();
    const { position } = await execute(application, friendshipStream(from, by), context, (state) =>
      agree(state, { by, applicationId, mid }),
    );
    return shownAt(position);
  });

  serve(server, application, friend.friendRefuse, async ({ parameters: { nid }, me, context }) => {
    const by = me();
    const { from, gid, operation } = await received(by, nid);
    const applicationId = ApplicationId.parse(nid);
    if (gid !== null) {
      if (operation === 'refuse') return carriedOut;
      if (operation === 'agree') throw new Refusal('alreadyAnswered', '该入群邀请已同意,不能再拒绝');
      const { position } = await execute(application, groupStream(gid), context, (state) =>
        refuseInvitation(state, { uid: by, applicationId }),
      );
      return shownAt(position);
    }
    const { position } = await execute(application, friendshipStream(from, by), context, (state) =>
      refuse(state, { by, applicationId }),
    );
    return shownAt(position);
  });

  serve(server, application, friend.friendAdd, async ({ parameters: { friend_uid }, me, context }) => {
    const by = me();
    mustBeOthers(by, friend_uid);
    mustExist(await user(by));
    mustExist(await user(friend_uid));
    const { position } = await execute(application, friendshipStream(by, friend_uid), context, (state) =>
      befriend(state, { by, friend: friend_uid }),
    );
    return shownAt(position);
  });

  serve(server, application, friend.friendRemark, async ({ parameters, me, context }) => {
    const { friend_uid, remark } = parameters;
    const by = me();
    const { position } = await execute(application, friendshipStream(by, friend_uid), context, (state) =>
      remarkFriend(state, { by, friend: friend_uid, remark }),
    );
    return shownAt(position);
  });

  serve(server, application, friend.friendDelete, async ({ parameters: { friend_uid }, me, context }) => {
    const by = me();
    const { position } = await execute(application, friendshipStream(by, friend_uid), context, (state) =>
      unfriend(state, { by, friend: friend_uid }),
    );
    return shownAt(position);
  });

  serve(server, application, friend.friendUpdate, async ({ parameters, me, context }) => {
    const { friend_uid, state, last_read_time, unread_count, top } = parameters;
    const uid = me();
    mustBeOthers(uid, friend_uid);
    const changes = { state, lastReadTime: last_read_time, unreadCount: unread_count, top };
    const position = await changeChat(application, uid, { type: 'friend', id: friend_uid }, changes, context);
    return shownAt(position);
  });

  serve(server, application, friend.friendApplyList, async ({ parameters, me }) => ({
    data: await findApplications(database, me(), parameters),
  }));

  serve(server, application, friend.friendApplyCount, async ({ me }) => ({
    data: await countOpenApplications(database, me()),
  }));

  serve(server, application, friend.friendApplyDetail, async ({ parameters: { nid }, me }) => {
    const { gid: _, ...shown } = await received(me(), nid);
    return { data: shown };
  });

  serve(server, application, friend.friendGetList, async ({ parameters, me }) => ({
    data: await findContacts(database, presence, me(), parameters),
  }));

  serve(server, application, friend.friendGetTempList, async ({ parameters, me }) => ({
    data: await findTemporaryContacts(database, presence, me(), parameters),
  }));
}
