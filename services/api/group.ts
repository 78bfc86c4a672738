import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import * as alias from '../../contracts/http/aliases.ts';
import * as contract from '../../contracts/http/group.ts';
import type { Gid, Mid, Uid } from '../../contracts/ids.ts';
import { changeChat } from '../commands/change-chat.ts';
import { type CommandContext, seconds } from '../commands/context.ts';
import { execute } from '../commands/execute.ts';
import { useAllowance } from '../commands/use-allowance.ts';
import { type GroupState, groupStream, mayManage, mustBeIn } from '../domain/group.ts';
import * as group from '../domain/group-commands.ts';
import { findGroupDetail, findMembers } from '../queries/groups.ts';
import { byInitial, initialOf } from '../queries/initials.ts';
import type { Application } from './application.ts';
import { namesOf } from './names-of.ts';
import { type Call, serve, shownAt } from './route.ts';

/** Groups (docs/behaviour.md, Groups). */
export function groupRoutes(server: FastifyInstance, application: Application): void {
  const { store, ids, database } = application;

  /** The group of one who is in it. Asking for another is counted: it may be guessing. */
  const enter = async (gid: Gid, uid: Uid, context: CommandContext) => {
    const { state } = await store.load(groupStream(gid));
    if (!state?.members.has(uid)) await useAllowance(application, uid, 'groups missed', context);
    return mustBeIn(state, uid);
  };

  /** Runs a command of the group's that needs neither names nor a notice. */
  const change = async (
    { context }: Pick<Call<unknown>, 'context'>,
    gid: Gid,
    decide: (state: GroupState) => readonly GroupEvent[],
  ) => shownAt((await execute(application, groupStream(gid), context, decide)).position);

  /** Runs a command of a member's that leaves a notice which names people. */
  const changeWithNotice = async (
    { me, context }: Pick<Call<unknown>, 'context' | 'me'>,
    gid: Gid,
    people: readonly Uid[],
    decide: (state: GroupState, names: group.Names, mid: Mid) => readonly GroupEvent[],
  ) => {
    await enter(gid, me(), context);
    const [names, mid] = await Promise.all([namesOf(database, people), ids.nextMid()]);
    const { position } = await execute(application, groupStream(gid), context, (state) =>
      decide(state, names, mid),
    );
    return shownAt(position);
  };

  serve(server, application, contract.groupDelete, async (call) =>
    change(call, call.parameters.gid, (state) => group.dissolveGroup(state, { by: call.me() })),
  );

  serve(server, application, contract.groupMembers, async ({ parameters, me, context }) => {
    const { gid, limit, index, pinyin, exclude } = parameters;
    const reader = me();
    await enter(gid, reader, context);
    const byDefault = pinyin === '' ? contract.membersShown : contract.mostMembersShown;
    const page = { from: index, limit: limit ?? byDefault, exclude };
    const found = await findMembers(database, reader, gid, page);
    const members = found.map(({ remark: _, ...member }) => member);
    if (pinyin === '') return { data: Object.fromEntries(members.map((member) => [member.uid, member])) };
    return { data: byInitial(members.map((member) => ({ ...member, initials: initialOf(member.name) }))) };
  });

  serve(server, application, contract.groupMemberDelete, async (call) => {
    const { gid, members } = call.parameters;
    return change(call, gid, (state) => group.removeMembers(state, { by: call.me(), members }));
  });

  serve(
    server,
    application,
    contract.groupDetail,
    async ({ parameters: { gid, simple, at }, me, context }) => {
      const reader = me();
      await enter(gid, reader, context);
      const detail = await findGroupDetail(database, reader, gid, { withMembers: !simple, withMentions: at });
      // The commands know of the membership before the read models show it.
      if (!detail) throw new Refusal('notReady');
      return { data: simple === undefined ? detail : { ...detail.info, ...detail } };
    },
  );

  serve(server, application, contract.groupRemark, async (call) => {
    const { gid, remark } = call.parameters;
    return change(call, gid, (state) => group.remarkGroup(state, { uid: call.me(), remark }));
  });

  serve(server, application, contract.groupManager, async (call) => {
    const { gid, uid, value } = call.parameters;
    return change(call, gid, (state) => group.setManager(state, { by: call.me(), uid, manager: value }));
  });

  serve(server, application, contract.groupIsManager, async ({ parameters: { gid, uid }, me, context }) => {
    const state = await enter(gid, me(), context);
    const is_manager: 0 | 1 = mayManage(state, uid) ? 1 : 0;
    return { data: { is_manager } };
  });

  serve(server, application, contract.groupForbiddenUser, async (call) => {
    const { gid, uid, time } = call.parameters;
    const by = call.me();
    const now = seconds(call.context);
    return changeWithNotice(call, gid, [by, uid], (state, names, mid) =>
      group.muteMember(state, { by, uid, time, now, names, mid }),
    );
  });

  const muteGroup = async (call: Call<{ readonly gid: Gid }>, muted: boolean) => {
    const { gid } = call.parameters;
    const by = call.me();
    return changeWithNotice(call, gid, [by], (state, names, mid) =>
      group.muteGroup(state, { by, muted, names, mid }),
    );
  };
  serve(server, application, contract.groupForbiddenAll, async (call) =>
    muteGroup(call, call.parameters.value),
  );
  serve(server, application, alias.groupForbiddenGroup, async (call) => muteGroup(call, true));
  serve(server, application, alias.groupChattingGroup, async (call) => muteGroup(call, false));

  serve(server, application, contract.groupMemberUpdate, async ({ parameters, me, context }) => {
    const { gid, state, last_read_time, top } = parameters;
    const changes = { state, lastReadTime: last_read_time, top };
    return shownAt(await changeChat(application, me(), { type: 'group', id: gid }, changes, context));
  });

  serve(server, application, contract.groupTransfer, async (call) => {
    const { gid, uid } = call.parameters;
    return change(call, gid, (state) => group.transferGroup(state, { by: call.me(), to: uid }));
  });

  const update = async (call: Call<z.infer<typeof contract.groupUpdate.parameters>>) => {
    const { gid, groupname, avatar } = call.parameters;
    if (groupname === undefined && avatar === undefined) throw new Refusal('missing', '缺少参数groupname');
    return change(call, gid, (state) => group.updateGroup(state, { by: call.me(), name: groupname, avatar }));
  };
  serve(server, application, contract.groupUpdate, update);
  serve(server, application, alias.groupGuaUpdate, update);
}
