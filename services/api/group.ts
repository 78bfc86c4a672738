import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../../contracts/codes.ts';
import * as alias from '../../contracts/http/aliases.ts';
import * as contract from '../../contracts/http/group.ts';
import * as members from '../../contracts/http/group-members.ts';
import type { Gid } from '../../contracts/ids.ts';
import { changeChat } from '../commands/change-chat.ts';
import * as group from '../commands/group.ts';
import { findGroupDetail, findMembers } from '../queries/groups.ts';
import { byInitial, initialOf } from '../queries/initials.ts';
import type { Application } from './application.ts';
import { type Call, serve, shownAt } from './route.ts';

/** Groups (docs/behaviour.md, Groups). */
export function groupRoutes(server: FastifyInstance, application: Application): void {
  const { database } = application;

  serve(server, application, contract.groupDelete, async ({ parameters: { gid }, me, context }) =>
    shownAt(await group.dissolveGroup(application, gid, { by: me() }, context)),
  );

  serve(server, application, members.groupMembers, async ({ parameters, me, context }) => {
    const { gid, limit, index, pinyin, exclude } = parameters;
    const reader = me();
    await group.enterGroup(application, gid, reader, context);
    const byDefault = pinyin === '' ? members.membersShown : members.maxMembersShown;
    const page = { from: index, limit: limit ?? byDefault, exclude };
    const found = await findMembers(database, reader, gid, page);
    const shown = found.map(({ remark: _, ...member }) => member);
    if (pinyin === '') return { data: Object.fromEntries(shown.map((member) => [member.uid, member])) };
    return { data: byInitial(shown.map((member) => ({ ...member, initials: initialOf(member.name) }))) };
  });

  serve(server, application, members.groupMemberDelete, async ({ parameters, me, context }) => {
    const { gid, members: removed } = parameters;
    const command = { by: me(), members: removed };
    return shownAt(await group.removeMembers(application, gid, command, context));
  });

  serve(
    server,
    application,
    contract.groupDetail,
    async ({ parameters: { gid, simple, at }, me, context }) => {
      const reader = me();
      await group.enterGroup(application, gid, reader, context);
      const detail = await findGroupDetail(database, reader, gid, { withMembers: !simple, withMentions: at });
      // The commands know of the membership before the read models show it.
      if (!detail) throw new Refusal('notReady');
      return { data: simple === undefined ? detail : { ...detail.info, ...detail } };
    },
  );

  serve(server, application, contract.groupRemark, async ({ parameters, me, context }) => {
    const { gid, remark } = parameters;
    return shownAt(await group.remarkGroup(application, gid, { uid: me(), remark }, context));
  });

  serve(server, application, members.groupManager, async ({ parameters, me, context }) => {
    const { gid, uid, value } = parameters;
    return shownAt(await group.setManager(application, gid, { by: me(), uid, manager: value }, context));
  });

  serve(server, application, members.groupIsManager, async ({ parameters: { gid, uid }, me, context }) => {
    const is_manager: 0 | 1 = (await group.isManager(application, gid, { by: me(), uid }, context)) ? 1 : 0;
    return { data: { is_manager } };
  });

  serve(server, application, members.groupForbiddenUser, async ({ parameters, me, context }) => {
    const { gid, uid, time } = parameters;
    return shownAt(await group.muteMember(application, gid, { by: me(), uid, time }, context));
  });

  const muteGroup = async ({ parameters, me, context }: Call<{ readonly gid: Gid }>, muted: boolean) =>
    shownAt(await group.muteGroup(application, parameters.gid, { by: me(), muted }, context));
  serve(server, application, members.groupForbiddenAll, async (call) =>
    muteGroup(call, call.parameters.value),
  );
  serve(server, application, alias.groupForbiddenGroup, async (call) => muteGroup(call, true));
  serve(server, application, alias.groupChattingGroup, async (call) => muteGroup(call, false));

  serve(server, application, contract.groupMemberUpdate, async ({ parameters, me, context }) => {
    const { gid, state, last_read_time, top } = parameters;
    const changes = { state, lastReadTime: last_read_time, top };
    return shownAt(await changeChat(application, me(), { type: 'group', id: gid }, changes, context));
  });

  serve(server, application, contract.groupTransfer, async ({ parameters: { gid, uid }, me, context }) =>
    shownAt(await group.transferGroup(application, gid, { by: me(), to: uid }, context)),
  );

  const update = async ({
    parameters,
    me,
    context,
  }: Call<z.infer<typeof contract.groupUpdate.parameters>>) => {
    const { gid, groupname: name, avatar } = parameters;
    if (name === undefined && avatar === undefined) throw Refusal.missing('groupname');
    return shownAt(await group.updateGroup(application, gid, { by: me(), name, avatar }, context));
  };
  serve(server, application, contract.groupUpdate, update);
  serve(server, application, alias.groupGuaUpdate, update);
}
