import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../../contracts/codes.ts';
import * as contract from '../../../contracts/http/administration.ts';
import { NumberId } from '../../../contracts/ids.ts';
import { deleteAccount } from '../../commands/delete-account.ts';
import { endSession } from '../../commands/sessions.ts';
import { currentSettings } from '../../commands/setting.ts';
import { findGroupsPage, findMembersPage, findPeoplePage } from '../../queries/directory.ts';
import { findUnknown } from '../../queries/people.ts';
import type { Application } from '../application.ts';
import { requesterOf } from '../caller.ts';
import { carriedOut, serve, shownAt } from '../route.ts';

/** What the server's key alone may see and end (docs/behaviour.md, Administration). */
export function administrationRoutes(server: FastifyInstance, application: Application): void {
  const { database, presence, store } = application;

  serve(server, application, contract.userList, async ({ parameters: { from, limit, nid, ...texts } }) => {
    const { username, nickname, phone } = texts;
    mustBeAlone({ username, nickname, phone, nid });
    const search = { ...texts, numberId: nid === undefined ? undefined : NumberId.parse(nid) };
    return { data: await findPeoplePage(database, presence, search, { from, limit }) };
  });

  serve(server, application, contract.userSessions, async ({ parameters: { uid } }) => {
    if ((await findUnknown(database, [uid])) !== undefined) throw new Refusal('noUser');
    const { token_days } = await currentSettings(store);
    const found = await application.sessions.list(uid, token_days);
    const data = found.map(({ created, used, ...session }) => ({
      ...session,
      ...{ timestamp: created, last_used: used },
    }));
    return { data };
  });

  serve(server, application, contract.userEndSession, async ({ parameters, context }) => {
    const { uid, session } = parameters;
    await endSession(application, { uid, session }, context);
    return carriedOut;
  });

  serve(server, application, contract.userDelete, async ({ parameters: { uid }, context, request }) =>
    shownAt(await deleteAccount(application, uid, requesterOf(request), context)),
  );

  serve(server, application, contract.groupList, async ({ parameters: { from, limit, ...search } }) => {
    mustBeAlone(search);
    const { gid, groupname: name, uid: owner } = search;
    return { data: await findGroupsPage(database, { gid, name, owner }, { from, limit }) };
  });

  serve(server, application, contract.groupMemberList, async ({ parameters: { gid, ...page } }) => {
    const members = await findMembersPage(database, gid, page);
    if (!members) throw new Refusal('noGroup');
    return { data: members };
  });
}

/** Each order of a list has an index; for two conditions at once there is none. @throws Refusal illegal */
function mustBeAlone(search: Readonly<Record<string, unknown>>): void {
  const [first, second] = Object.keys(search).filter((name) => search[name] !== undefined);
  if (second !== undefined) throw new Refusal('illegal', `参数${second}不能与${first}同时使用`);
}
