import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import * as alias from '../../contracts/http/aliases.ts';
import * as contract from '../../contracts/http/group.ts';
import type { Gid, Mid, Uid } from '../../contracts/ids.ts';
import { changeChat } from '../commands/change-chat.ts';
import { seconds } from '../commands/context.ts';
import { createGroup } from '../commands/create-group.ts';
import { execute } from '../commands/execute.ts';
import { type GroupState, groupStream, mayManage, mustBeMember, mustLive } from '../domain/group.ts';
import * as group from '../domain/group-commands.ts';
import { settingStream } from '../domain/setting.ts';
import { mustBeActive, userStream } from '../domain/user.ts';
import { findGroup, findGroupDetail, findMembers } from '../queries/groups.ts';
import { byInitial, initialOf } from '../queries/initials.ts';
import { findNicknames } from '../queries/people.ts';
import { mustNotHurry } from '../rate-limit.ts';
import type { Application } from './application.ts';
import { type Call, patience, serve, shownAt } from './route.ts';

/** Groups (API document, 群组接口). */
export function groupRoutes(server: FastifyInstance, application: Application): void {
  const { store, ids, database } = application;

  const standing = async (gid: Gid) => mustLive((await store.load(groupStream(gid))).state);

  /** The nicknames of those named, all of whom must exist. */
  const namesOf = async (uids: readonly Uid[]) => {
    const names = await findNicknames(database, uids);
    const unknown = uids.find((uid) => !names.has(uid));
    if (unknown !== undefined) throw new Refusal('noUser', `用户${unknown}不存在`);
    return names;
  };

  /** Runs a command of the group's that needs neither names nor a notice. */
  const change = async (
    { context }: Pick<Call<unknown>, 'context'>,
    gid: Gid,
    decide: (state: GroupState) => readonly GroupEvent[],
  ) => shownAt((await execute(application, groupStream(gid), context, decide)).position);

  /** Runs a command that leaves a notice which names people. */
  const changeWithNotice = async (
    { context }: Pick<Call<unknown>, 'context'>,
    gid: Gid,
    people: readonly Uid[],
    decide: (state: GroupState, names: group.Names, mid: Mid) => readonly GroupEvent[],
  ) => {
    const [names, mid] = await Promise.all([namesOf(people), ids.nextMid()]);
    const { position } = await execute(application, groupStream(gid), context, (state) =>
      decide(state, names, mid),
    );
    return shownAt(position);
  };

  serve(server, application, contract.groupCreate, async ({ parameters, me, context }) => {
    const { members = [], groupname, avatar, uniqueId } = parameters;
    const owner = me();
    const permit = async () => {
      mustBeActive((await store.load(userStream(owner))).state);
      const { state: settings } = await store.load(settingStream);
      if (settings.create_group === 'off') throw new Refusal('createGroupOff');
      return namesOf([owner, ...members]);
    };
    const requestHash = createHash('sha256')
      .update(JSON.stringify({ members, groupname, avatar }))
      .digest('hex');
    const command = { owner, members, permit, name: groupname, avatar };
    const { gid, position } = await createGroup(application, command, { uniqueId, requestHash }, context);
    await application.progress.reached(position, patience);
    const created = await findGroup(database, gid);
    if (!created) throw new Refusal('notReady');
    return { data: { gid: String(gid), groupname: created.name, avatar: created.avatar }, position };
  });

  serve(server, application, contract.groupDelete, async (call) =>
    change(call, call.parameters.gid, (state) => group.dissolveGroup(state, { by: call.me() })),
  );

  serve(server, application, contract.groupMemberAdd, async (call) => {
    const { gid, members } = call.parameters;
    const by = call.me();
    await standing(gid);
    return changeWithNotice(call, gid, [by, ...members], (state, names, mid) =>
      group.addMembers(state, { by, members, names, mid }),
    );
  });

  serve(server, application, contract.groupJoin, async (call) => {
    const { gid } = call.parameters;
    const uid = call.me();
    mustNotHurry(`join ${uid}`, 20, 60);
    mustBeActive((await store.load(userStream(uid))).state);
    const { state: settings } = await store.load(settingStream);
    if (settings.qrcode_group === 'off') throw new Refusal('joinByCodeOff');
    await standing(gid);
    return changeWithNotice(call, gid, [uid], (state, names, mid) =>
      group.joinGroup(state, { uid, names, mid }),
    );
  });

  serve(server, application, contract.groupMembers, async ({ parameters, me }) => {
    const { gid, limit, index, pinyin, exclude } = parameters;
    const reader = me();
    mustBeMember(await standing(gid), reader);
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

  serve(server, application, contract.groupDetail, async ({ parameters: { gid, simple, at }, me }) => {
    const reader = me();
    mustBeMember(await standing(gid), reader);
    const detail = await findGroupDetail(database, reader, gid, { withMembers: !simple, withMentions: at });
    if (!detail) throw new Refusal('illegal', '你不是该群成员');
    return { data: simple === undefined ? detail : { ...detail.info, ...detail } };
  });

  serve(server, application, contract.groupRemark, async (call) => {
    const { gid, remark } = call.parameters;
    return change(call, gid, (state) => group.remarkGroup(state, { uid: call.me(), remark }));
  });

  serve(server, application, contract.groupManager, async (call) => {
    const { gid, uid, value } = call.parameters;
    return change(call, gid, (state) => group.setManager(state, { by: call.me(), uid, manager: value }));
  });

  serve(server, application, contract.groupIsManager, async ({ parameters: { gid, uid }, me }) => {
    const state = await standing(gid);
    mustBeMember(state, me());
    const is_manager: 0 | 1 = mayManage(state, uid) ? 1 : 0;
    return { data: { is_manager } };
  });

  serve(server, application, contract.groupForbiddenUser, async (call) => {
    const { gid, uid, time } = call.parameters;
    const by = call.me();
    const now = seconds(call.context);
    await standing(gid);
    return changeWithNotice(call, gid, [by, uid], (state, names, mid) =>
      group.muteMember(state, { by, uid, time, now, names, mid }),
    );
  });

  const muteGroup = async (call: Call<{ readonly gid: Gid }>, muted: boolean) => {
    const { gid } = call.parameters;
    const by = call.me();
    await standing(gid);
    return changeWithNotice(call, gid, [by], (state, names, mid) =>
      group.muteGroup(state, { by, muted, names, mid }),
    );
  };
  serve(server, application, contract.groupForbiddenAll, async (call) =>
    muteGroup(call, call.parameters.value),
  );
  serve(server, application, alias.groupForbiddenGroup, async (call) => muteGroup(call, true));
  serve(server, application, alias.groupChattingGroup, async (call) => muteGroup(call, false));

  serve(server, application, contract.groupLeave, async (call) =>
    change(call, call.parameters.gid, (state) => group.leaveGroup(state, { uid: call.me() })),
  );

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
