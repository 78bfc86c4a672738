import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { userBindPhone, userUpdate, userUpdatePassword } from '../../contracts/http/user.ts';
import { execute } from '../commands/execute.ts';
import { useAllowance } from '../commands/use-allowance.ts';
import { changeAccount, mustExist, userStream } from '../domain/user.ts';
import type { Application } from './application.ts';
import { actorOf, shareOf } from './caller.ts';
import { ownerOfPassword } from './password.ts';
import { carriedOut, serve, shownAt } from './route.ts';

/** What a person's token may not change in user/update, and what is said of it. */
const notByToken = {
  account_state: '没有权限修改参数account_state',
  is_member: '没有权限修改参数is_member',
  password: '参数password不能在此修改,请调用user/updatepassword',
  phone: '参数phone不能在此修改,请调用user/bindphone',
} as const;

/** Changing an account: its profile, its password, its phone, whether it is disabled. */
export function accountRoutes(server: FastifyInstance, application: Application): void {
  const { names, passwords, tokens, smsCodes, store, security } = application;

  serve(server, application, userUpdate, async ({ parameters, me, caller, context, request }) => {
    if (caller.kind !== 'server') {
      for (const [name, message] of Object.entries(notByToken)) {
        if (name in parameters) throw new Refusal('illegal', message);
      }
    }
    const { nickname, avatar, sign, phone, password, account_state, is_member } = parameters;
    const disabled = account_state === undefined ? undefined : account_state === 'disabled';
    const uid = me();
    const { disabled: before } = mustExist((await store.load(userStream(uid))).state);
    if (nickname !== undefined || avatar !== undefined) {
      await useAllowance(application, uid, 'profiles changed', context);
    }
    // First what can be refused. Repeating the call does what is left.
    if (phone !== undefined) await names.bindPhone(uid, phone);
    // At once: the event may have to wait for its turn.
    if (disabled) await tokens.endAll(uid);
    const { position } = await execute(application, userStream(uid), context, (state) =>
      changeAccount(state, { nickname, avatar, sign, phone, disabled, isMember: is_member }),
    );
    if (password !== undefined) await passwords.change(uid, password, shareOf(request));
    const tell = (what: Parameters<typeof security.change>[0]) =>
      security.change(what, actorOf(request, uid), "the server's key");
    if (phone !== undefined) tell('a phone was bound');
    if (password !== undefined) tell('a password was changed');
    if (disabled === !before) tell(disabled ? 'an account was disabled' : 'an account was enabled');
    return shownAt(position);
  });

  serve(server, application, userUpdatePassword, async ({ parameters, me, request }) => {
    const { password1, password2, password_old, code } = parameters;
    if (password1 !== password2) throw new Refusal('illegal', '两次输入的密码不一致');
    const account = await names.byUid(me());
    if (!account) throw new Refusal('noUser');
    if (password_old !== undefined) {
      await ownerOfPassword(application, request, account, password_old, '旧密码错误');
    } else if (code !== undefined) {
      if (account.phone === null) throw new Refusal('illegal', '该账号没有绑定手机号');
      await smsCodes.spend(await smsCodes.check(account.phone, 'retrieve', code, request.ip));
    } else throw new Refusal('missing', '缺少参数password_old');
    await passwords.change(account.uid, password1, shareOf(request), {
      address: request.ip,
      ...(password_old !== undefined && { instead: account.passwordHash }),
    });
    const by = password_old === undefined ? 'an SMS code' : 'the old password';
    security.change('a password was changed', actorOf(request, account.uid), by);
    return carriedOut;
  });

  serve(server, application, userBindPhone, async ({ parameters, me, context, request }) => {
    const { phone, code, password } = parameters;
    const account = await names.byUid(me());
    if (!account) throw new Refusal('noUser');
    const { uid } = account;
    if (account.phone !== null && account.phone !== phone) {
      // By its phone an account gets a new password: a stolen token must not be enough to replace it.
      if (password === undefined) throw new Refusal('missing', '缺少参数password,更换手机号需要当前密码');
      await ownerOfPassword(application, request, account, password, '密码错误');
    }
    const checked = await smsCodes.check(phone, 'bind', code, request.ip);
    const owner = await names.byPhone(phone);
    if (owner && owner.uid !== uid) throw new Refusal('illegal', '手机号已被注册');
    await smsCodes.spend(checked);
    await names.bindPhone(uid, phone, account.phone);
    const { position } = await execute(application, userStream(uid), context, (state) =>
      changeAccount(state, { phone }),
    );
    security.change('a phone was bound', actorOf(request, uid), 'an SMS code');
    return shownAt(position);
  });
}
