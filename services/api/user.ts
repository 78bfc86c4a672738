import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../../contracts/codes.ts';
import { userDetail, userGetByName } from '../../contracts/http/aliases.ts';
import { userAdd, userGet, userMultiGet, userOpen } from '../../contracts/http/user.ts';
import { NumberId } from '../../contracts/ids.ts';
import { addUser } from '../commands/account.ts';
import { openAccount } from '../commands/open-account.ts';
import { ownerOfPassword } from '../commands/password.ts';
import { findPeople, findProfile, findRemark, type PersonKey } from '../queries/people.ts';
import type { Application } from './application.ts';
import { requesterOf } from './caller.ts';
import { type Call, serve } from './route.ts';

/** People and their accounts (docs/behaviour.md, Users). */
export function userRoutes(server: FastifyInstance, application: Application): void {
  const { database, presence } = application;

  serve(server, application, userAdd, async ({ parameters, context, request }) => {
    const { uid, position } = await addUser(application, parameters, requesterOf(request), context);
    return { data: { uid }, position };
  });

  serve(server, application, userOpen, async ({ parameters, me, context, request }) => {
    const { login_uid: _, ...profile } = parameters;
    const command = { ...profile, parent: me() };
    const { uid, position } = await openAccount(application, command, requesterOf(request), context);
    return { data: { uid }, position };
  });

  const get = async ({
    parameters,
    caller,
    context,
    request,
  }: Pick<Call<z.infer<typeof userGet.parameters>>, 'parameters' | 'caller' | 'context' | 'request'>) => {
    const { uid, username, nid, password, login_uid: me } = parameters;
    let key: PersonKey;
    if (password !== undefined) {
      if (username === undefined) throw Refusal.missing('username');
      // Nobody else's profile: by this answer other backends log people in.
      const owner = await ownerOfPassword(application, requesterOf(request), context, username, password);
      key = { uid: owner.uid };
    } else if (uid !== undefined) key = { uid };
    else if (username !== undefined) key = { username };
    else if (nid !== undefined) key = { numberId: NumberId.parse(nid) };
    else throw Refusal.missing('uid');
    const profile = await findProfile(database, presence, key);
    if (!profile) throw new Refusal('noUser');
    const reader = me ?? (caller.kind === 'user' ? caller.uid : undefined);
    if (reader === undefined) return { data: profile };
    const remark = await findRemark(database, reader, profile.uid);
    return { data: { ...profile, is_friend: remark !== undefined, remark: remark ?? '' } };
  };

  serve(server, application, userGet, get);
  serve(server, application, userDetail, get);
  serve(server, application, userGetByName, get);

  serve(server, application, userMultiGet, async ({ parameters: { uid } }) => ({
    data: await findPeople(database, presence, uid),
  }));
}
