import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import {
  loginCaptcha,
  loginJoin,
  loginLogin,
  loginLogout,
  serviceForgetPass,
  serviceSendSms,
  userSendSmsPass,
} from '../../contracts/http/login.ts';
import type { Settings } from '../../contracts/settings.ts';
import { registerUser } from '../commands/register.ts';
import { settingStream } from '../domain/setting.ts';
import { findProfile } from '../queries/people.ts';
import type { Application } from './application.ts';
import { tokenCookie } from './caller.ts';
import { ownerOfPassword } from './password.ts';
import { carriedOut, serve, shownAt } from './route.ts';

const secondsADay = 86_400;

/** Joining, logging in and out, SMS codes, the captcha (BEHAVIOUR, Login, SMS). */
export function loginRoutes(server: FastifyInstance, application: Application): void {
  const { names, passwords, tokens, captchas, smsCodes, database, presence } = application;
  const settings = async (): Promise<Settings> => (await application.store.load(settingStream)).state;

  const mustSolve = async (needed: 'on' | 'off', id: string | undefined, answer: string | undefined) => {
    if (needed === 'off') return;
    if (id === undefined) throw new Refusal('missing', '缺少参数captcha_id');
    if (answer === undefined) throw new Refusal('missing', '缺少参数captcha');
    await captchas.check(id, answer);
  };

  serve(server, application, serviceSendSms, async ({ parameters: { phone, type }, request }) => {
    const known = (await names.byPhone(phone)) !== undefined;
    await smsCodes.send({
      phone,
      purpose: type,
      address: request.ip,
      deliver: known === (type === 'forget'),
    });
    return carriedOut;
  });

  serve(server, application, userSendSmsPass, async ({ parameters: { phone, type }, me, request }) => {
    if ((await names.byUid(me()))?.phone !== phone)
      throw new Refusal('illegal', '该手机号不是本账号绑定的手机号');
    await smsCodes.send({ phone, purpose: type, address: request.ip, deliver: true });
    return carriedOut;
  });

  serve(server, application, loginJoin, async ({ parameters, context }) => {
    const { register, register_captcha } = await settings();
    if (register === 'off') throw new Refusal('registerOff');
    const { username, nickname, avatar, sign, phone, code, password, captcha_id, captcha } = parameters;
    await mustSolve(register_captcha, captcha_id, captcha);
    const checked = await smsCodes.check(phone, 'register', code);
    const passwordHash = await passwords.hash(password);
    const account = { username, nickname, avatar, sign, phone, passwordHash, parent: null };
    const { position } = await registerUser(application, account, context, () => smsCodes.spend(checked));
    return shownAt(position);
  });

  serve(server, application, loginLogin, async ({ parameters, request, reply }) => {
    const { login_captcha, token_days } = await settings();
    const { username, phone, password, captcha_id, captcha } = parameters;
    const name = username ?? phone;
    if (name === undefined) throw new Refusal('missing', '缺少参数username');
    await mustSolve(login_captcha, captcha_id, captcha);
    const account = await ownerOfPassword(application, name, password);
    const { token } = await tokens.issue(account);
    const profile = await findProfile(database, presence, { uid: account.uid });
    if (!profile) throw new Refusal('notReady');
    const expires = token_days * secondsADay;
    setCookie(request, reply, token, expires);
    return { data: { ...profile, token, expires } };
  });

  serve(server, application, loginLogout, async ({ caller, request, reply }) => {
    if (caller.kind !== 'user') throw new Refusal('illegal', '当前未登录,无需退出');
    await tokens.end(caller.token);
    setCookie(request, reply, '', 0);
    return carriedOut;
  });

  serve(
    server,
    application,
    serviceForgetPass,
    async ({ parameters: { phone, code, username, newpass } }) => {
      const checked = await smsCodes.check(phone, 'forget', code);
      const account = await names.byPhone(phone);
      const named = await names.byUsername(username);
      if (!account || account.uid !== named?.uid) throw new Refusal('illegal', '手机号与账号不匹配');
      await smsCodes.spend(checked);
      await passwords.change(account.uid, newpass);
      return carriedOut;
    },
  );

  serve(server, application, loginCaptcha, async () => ({ data: await captchas.create() }));
}

/** Gives a page of our own the token, out of its scripts' reach. */
function setCookie(request: FastifyRequest, reply: FastifyReply, token: string, maxAge: number): void {
  reply.setCookie(tokenCookie, token, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: request.protocol === 'https',
    maxAge,
  });
}
