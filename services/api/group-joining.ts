import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import * as contract from '../../contracts/http/group.ts';
import type { Uid } from '../../contracts/ids.ts';
import { createGroup } from '../commands/create-group.ts';
import { execute } from '../commands/execute.ts';
import { mustHaveRoomForGroup, separate } from '../commands/group-admission.ts';
import { useAllowance } from '../commands/use-allowance.ts';
import { groupStream, mustBeIn, mustLive } from '../domain/group.ts';
import * as group from '../domain/group-commands.ts';
import { settingStream } from '../domain/setting.ts';
import { mustBeActive, userStream } from '../domain/user.ts';
import { startOfLog } from '../log/log.ts';
import { findGroup } from '../queries/groups.ts';
import type { Application } from './application.ts';
import { groupCode, opensGroup } from './group-code.ts';
import { namesOf } from './names-of.ts';
import { patience, serve, shownAt } from './route.ts';

/** How people come into groups, and leave them (docs/behaviour.md, Groups). */
export function groupJoiningRoutes(server: FastifyInstance, application: Application): void {
  const { app, store, ids, database } = application;

  serve(server, application, contract.groupCreate, async ({ parameters, me, context }) => {
    const { members = [], groupname, avatar, uniqueId } = parameters;
    const owner = me();
    const permit = async () => {
      mustBeActive((await store.load(userStream(owner))).state);
      const { state: settings } = await store.load(settingStream);
      if (settings.create_group === 'off') throw new Refusal('createGroupOff');
      const others = [...new Set(members)].filter((uid) => uid !== owner);
      const names = await namesOf(database, [owner, ...others]);
      const { joining, invitations } = await separate(application, owner, others);
      await mustHaveRoomForGroup(application, [owner, ...joining]);
      await useAllowance(application, owner, 'groups created', context);
      await useAllowance(application, owner, 'members added', context, others.length);
      return { members: joining, names, invitations };
    };
    const requestHash = createHash('sha256')
      .update(JSON.stringify({ members, groupname, avatar }))
      .digest('hex');
    const command = { owner, permit, name: groupname, avatar };
    const { gid, position } = await createGroup(application, command, { uniqueId, requestHash }, context);
    await application.progress.reached(position, patience);
    const created = await findGroup(database, gid);
    if (!created) throw new Refusal('notReady');
    return { data: { gid: String(gid), groupname: created.name, avatar: created.avatar }, position };
  });

  serve(server, application, contract.groupMemberAdd, async ({ parameters, me, context }) => {
    const { gid, members } = parameters;
    const by = me();
    const standing = mustBeIn((await store.load(groupStream(gid))).state, by);
    const names = await namesOf(database, [by, ...members]);
    const others = [...new Set(members)].filter((uid) => !standing.members.has(uid));
    const { joining, invitations } = await separate(application, by, others);
    await mustHaveRoomForGroup(application, joining);
    await useAllowance(application, by, 'members added', context, others.length);
    const mid = await ids.nextMid();
    const { position } = await execute(application, groupStream(gid), context, (state) =>
      group.addMembers(state, { by, members: joining, names, mid, invitations }),
    );
    return shownAt(position);
  });

  serve(server, application, contract.groupJoin, async ({ parameters: { gid, token }, me, context }) => {
    const uid = me();
    mustBeActive((await store.load(userStream(uid))).state);
    const { state: settings } = await store.load(settingStream);
    if (settings.qrcode_group === 'off') throw new Refusal('joinByCodeOff');
    await useAllowance(application, uid, 'joining tries', context);
    const { state } = await store.load(groupStream(gid));
    if (settings.join_by_gid === 'off' && !(state && token && opensGroup(app, state, token))) {
      // The same whether there is such a group: only who holds its token learns that.
      throw new Refusal('illegal', '群二维码无效或已失效');
    }
    if (!mustLive(state).members.has(uid)) await mustHaveRoomForGroup(application, [uid]);
    const [names, mid] = await Promise.all([namesOf(database, [uid]), ids.nextMid()]);
    const { position } = await execute(application, groupStream(gid), context, (present) =>
      group.joinGroup(present, { uid, names, mid }),
    );
    return shownAt(position);
  });

  serve(server, application, contract.groupLeave, async ({ parameters: { gid: gids }, me, context }) => {
    const uid: Uid = me();
    const streams = [...new Set(gids)].map(groupStream);
    // What refuses one of them refuses all, before anything is done.
    for (const stream of streams) group.leaveGroup((await store.load(stream)).state, { uid });
    let last = startOfLog;
    for (const stream of streams) {
      const { events, position } = await execute(application, stream, context, (state) =>
        group.leaveGroup(state, { uid }),
      );
      if (events.length > 0 && position > last) last = position;
    }
    return shownAt(last);
  });

  serve(server, application, contract.groupCode, async ({ parameters: { gid }, me }) => {
    const { revokedCodes } = mustBeIn((await store.load(groupStream(gid))).state, me());
    return { data: { gid, token: groupCode(app, { gid, revokedCodes }) } };
  });

  serve(server, application, contract.groupCodeRevoke, async ({ parameters: { gid }, me, context }) => {
    const by = me();
    const { position } = await execute(application, groupStream(gid), context, (state) =>
      group.revokeCodes(state, { by }),
    );
    return shownAt(position);
  });
}
