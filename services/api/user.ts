import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../../contracts/codes.ts';
import { userDetail, userGetByName } from '../../contracts/http/aliases.ts';
import { userAdd, userGet, userMultiGet, userOpen } from '../../contracts/http/user.ts';
import { NumberId } from '../../contracts/ids.ts';
import { openAccount } from '../commands/open-account.ts';
import { registerUser } from '../commands/register.ts';
import { mustBeActive, userStream } from '../domain/user.ts';
import { findPeople, findProfile, findRemark, type PersonKey } from '../queries/people.ts';
import type { Application } from './application.ts';
import { shareOf } from './caller.ts';
import { ownerOfPassword } from './password.ts';
import { type Call, serve } from './route.ts';

/** People and their accounts (docs/behaviour.md, Users). */
export function userRoutes(server: FastifyInstance, application: Application): void {
  const { passwords, database, presence, store } = application;

  serve(server, application, userAdd, async ({ parameters, context, request }) => {
    const { password, ...profile } = parameters;
    const passwordHash = await passwords.hash(password, shareOf(request));
    const account = { ...profile, passwordHash, phone: null, parent: null };
    const { uid, position } = await registerUser(application, account, context);
    return { data: { uid }, position };
  });

  serve(server, application, userOpen, async ({ parameters, me, context, request }) => {
    const { password, login_uid: _, ...profile } = parameters;
    const parent = me();
    const { state } = await store.load(userStream(parent));
    if (!mustBeActive(state).isMember) throw new Refusal('illegal', '只有会员可以添加下级用户');
    const { uid, position } = await openAccount(
      application,
      {
        ...{ ...profile, parent },
        passwordHash: () => passwords.hash(password, shareOf(request)),
        checkPassword: (account) =>
          ownerOfPassword(application, request, account, password, '用户名已被占用'),
      },
      context,
    );
    return { data: { uid }, position };
  });

  const get = async ({
    parameters,
    caller,
    request,
  }: Pick<Call<z.infer<typeof userGet.parameters>>, 'parameters' | 'caller' | 'request'>) => {
    const { uid, username, nid, password, login_uid: me } = parameters;
    let key: PersonKey;
    if (password !== undefined) {
      if (username === undefined) throw new Refusal('missing', '缺少参数username');
      // Nobody else's profile: by this answer other backends log people in.
      const owner = await ownerOfPassword(application, request, username, password);
      key = { uid: owner.uid };
    } else if (uid !== undefined) key = { uid };
    else if (username !== undefined) key = { username };
    else if (nid !== undefined) key = { numberId: NumberId.parse(nid) };
    else throw new Refusal('missing', '缺少参数uid');
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
