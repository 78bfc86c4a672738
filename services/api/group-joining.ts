import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { groupCreate } from '../../contracts/http/group.ts';
import * as contract from '../../contracts/http/group-members.ts';
import { revokeCodes } from '../commands/group.ts';
import * as joining from '../commands/group-joining.ts';
import { findGroup } from '../queries/groups.ts';
import type { Application } from './application.ts';
import { readModelsTimeoutMs, serve, shownAt } from './route.ts';

/** How people come into groups, and leave them (docs/behaviour.md, Groups). */
export function groupJoiningRoutes(server: FastifyInstance, application: Application): void {
  const { database, progress } = application;

  serve(server, application, groupCreate, async ({ parameters, me, context }) => {
    const { members = [], groupname: name, avatar, uniqueId, gid: chosen } = parameters;
    const command = { owner: me(), members, name, avatar, uniqueId, gid: chosen };
    const { gid, position } = await joining.createGroup(application, command, context);
    await progress.reached(position, readModelsTimeoutMs);
    const created = await findGroup(database, gid);
    if (!created) throw new Refusal('notReady');
    return { data: { gid: String(gid), groupname: created.name, avatar: created.avatar }, position };
  });

  serve(server, application, contract.groupMemberAdd, async ({ parameters, me, context }) => {
    const { gid, members } = parameters;
    return shownAt(await joining.addMembers(application, gid, { by: me(), members }, context));
  });

  serve(server, application, contract.groupJoin, async ({ parameters: { gid, token }, me, context }) =>
    shownAt(await joining.joinGroup(application, gid, { uid: me(), token }, context)),
  );

  serve(server, application, contract.groupLeave, async ({ parameters: { gid: gids }, me, context }) =>
    shownAt(await joining.leaveGroups(application, { uid: me(), gids }, context)),
  );

  serve(server, application, contract.groupCode, async ({ parameters: { gid }, me }) => ({
    data: { gid, token: await joining.groupCodeFor(application, gid, me()) },
  }));

  serve(server, application, contract.groupCodeRevoke, async ({ parameters: { gid }, me, context }) =>
    shownAt(await revokeCodes(application, gid, { by: me() }, context)),
  );
}
