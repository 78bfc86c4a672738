import type { FastifyInstance } from 'fastify';
import * as contract from '../../contracts/http/friend.ts';
import { changeChat } from '../commands/change-chat.ts';
import * as friendship from '../commands/friendship.ts';
import {
  countOpenApplications,
  findApplications,
  findContacts,
  findTemporaryContacts,
} from '../queries/contacts.ts';
import type { Application } from './application.ts';
import { chatOf, mustBeOther } from './chat.ts';
import { serve, shownAt } from './route.ts';

/** Friends and applications (docs/behaviour.md, Friends). */
export function friendRoutes(server: FastifyInstance, application: Application): void {
  const { database, presence } = application;

  serve(server, application, contract.friendApply, async ({ parameters, me, context }) => {
    const { friend_uid: to, postscript } = parameters;
    const from = me();
    mustBeOther(from, to, 'friend_uid');
    return shownAt(await friendship.applyToFriend(application, { from, to, postscript }, context));
  });

  serve(server, application, contract.friendAgree, async ({ parameters: { nid }, me, context }) =>
    shownAt(await friendship.agreeToApplication(application, { by: me(), nid }, context)),
  );

  serve(server, application, contract.friendRefuse, async ({ parameters: { nid }, me, context }) =>
    shownAt(await friendship.refuseApplication(application, { by: me(), nid }, context)),
  );

  serve(server, application, contract.friendAdd, async ({ parameters: { friend_uid }, me, context }) => {
    const by = me();
    mustBeOther(by, friend_uid, 'friend_uid');
    return shownAt(await friendship.befriend(application, { by, friend: friend_uid }, context));
  });

  serve(server, application, contract.friendRemark, async ({ parameters, me, context }) => {
    const { friend_uid, remark } = parameters;
    const command = { by: me(), friend: friend_uid, remark };
    return shownAt(await friendship.remarkFriend(application, command, context));
  });

  serve(server, application, contract.friendDelete, async ({ parameters: { friend_uid }, me, context }) =>
    shownAt(await friendship.unfriend(application, { by: me(), friend: friend_uid }, context)),
  );

  serve(server, application, contract.friendUpdate, async ({ parameters, me, context }) => {
    const { friend_uid, state, last_read_time, unread_count, top } = parameters;
    const uid = me();
    const chat = chatOf(uid, 'friend', friend_uid, 'friend_uid');
    const changes = { state, lastReadTime: last_read_time, unreadCount: unread_count, top };
    return shownAt(await changeChat(application, uid, chat, changes, context));
  });

  serve(server, application, contract.friendApplyList, async ({ parameters, me }) => ({
    data: await findApplications(database, me(), parameters),
  }));

  serve(server, application, contract.friendApplyCount, async ({ me }) => ({
    data: await countOpenApplications(database, me()),
  }));

  serve(server, application, contract.friendApplyDetail, async ({ parameters: { nid }, me }) => {
    const { gid: _, ...shown } = await friendship.receivedApplication(database, me(), nid);
    return { data: shown };
  });

  serve(server, application, contract.friendGetList, async ({ parameters, me }) => ({
    data: await findContacts(database, presence, me(), parameters),
  }));

  serve(server, application, contract.friendGetTempList, async ({ parameters, me }) => ({
    data: await findTemporaryContacts(database, presence, me(), parameters),
  }));
}
