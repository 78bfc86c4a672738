import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { userBindPhone, userUpdate, userUpdatePassword } from '../../contracts/http/user.ts';
import { bindPhone, changePassword, updateAccount } from '../commands/account.ts';
import type { Application } from './application.ts';
import { requesterOf } from './caller.ts';
import { carriedOut, serve, shownAt } from './route.ts';

/** Changing an account: its profile, its password, its phone, whether it is disabled. */
export function accountRoutes(server: FastifyInstance, application: Application): void {
  serve(server, application, userUpdate, async ({ parameters, me, context, request }) => {
    const { nickname, avatar, sign, phone, password, account_state, is_member: isMember } = parameters;
    const disabled = account_state === undefined ? undefined : account_state === 'disabled';
    const update = { nickname, avatar, sign, phone, password, disabled, isMember };
    return shownAt(await updateAccount(application, me(), update, requesterOf(request), context));
  });

  serve(server, application, userUpdatePassword, async ({ parameters, me, context, request }) => {
    const { password1: password, password2, password_old: old, code } = parameters;
    if (password !== password2) throw new Refusal('illegal', '两次输入的密码不一致');
    await changePassword(application, me(), { old, code, password }, requesterOf(request), context);
    return carriedOut;
  });

  serve(server, application, userBindPhone, async ({ parameters, me, context, request }) => {
    const { phone, code, password } = parameters;
    const shown = { phone, code, password };
    return shownAt(await bindPhone(application, me(), shown, requesterOf(request), context));
  });
}
