import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../../contracts/codes.ts';
import { loginCheck, loginJoinCaptcha, loginLoginCaptcha } from '../../contracts/http/aliases.ts';
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
import { captchaSeconds } from '../accounts/captcha.ts';
import { registerUser } from '../commands/register.ts';
import { settingStream } from '../domain/setting.ts';
import { findProfile } from '../queries/people.ts';
import type { Application } from './application.ts';
import { actorOf, isTrusted, maxDrawingsWaiting, shareOf, tokenCookie } from './caller.ts';
import { ownerOfPassword } from './password.ts';
import { type Call, carriedOut, serve, servePicture, shownAt } from './route.ts';

const secondsADay = 86_400;

/** What a captcha's picture is solved for. A page may show both pictures, so each has a cookie of its own. */
type CaptchaPurpose = 'login' | 'join';
const captchaCookie = (purpose: CaptchaPurpose) => `${purpose}_captcha_id`;

/** Joining, logging in and out, SMS codes, the captcha (docs/behaviour.md, Login and SMS). */
export function loginRoutes(server: FastifyInstance, application: Application): void {
  const { names, passwords, tokens, captchas, smsCodes, database, presence, security } = application;
  const settings = async (): Promise<Settings> => (await application.store.load(settingStream)).state;

  /** The picture's id comes as a parameter, or in the cookie that came with the picture itself. */
  const mustSolve = async (
    {
      captcha_id,
      captcha: answer,
    }: { readonly captcha_id?: string | undefined; readonly captcha?: string | undefined },
    request: FastifyRequest,
    purpose: CaptchaPurpose,
  ) => {
    const id = captcha_id ?? request.cookies[captchaCookie(purpose)];
    if (id === undefined) throw new Refusal('missing', '缺少参数captcha_id');
    if (answer === undefined) throw new Refusal('missing', '缺少参数captcha');
    await captchas.check(id, answer);
  };

  const checkCode = (phone: string, code: string | undefined, address: string) => {
    if (code === undefined) throw new Refusal('missing', '缺少参数code');
    return smsCodes.check(phone, 'register', code, address);
  };

  serve(server, application, serviceSendSms, async ({ parameters: { phone, type }, request }) => {
    const known = (await names.byPhone(phone)) !== undefined;
    await smsCodes.send({
      phone,
      purpose: type,
      address: request.ip,
      deliver: known === (type === 'forget'),
      limits: await settings(),
    });
    return carriedOut;
  });

  serve(server, application, userSendSmsPass, async ({ parameters: { phone, type }, me, request }) => {
    const own = (await names.byUid(me()))?.phone === phone;
    if (type === 'retrieve' && !own) throw new Refusal('illegal', '该手机号不是本账号绑定的手机号');
    if (type === 'bind' && own) throw new Refusal('illegal', '该手机号已绑定本账号');
    const deliver = own || (await names.byPhone(phone)) === undefined;
    const limits = await settings();
    await smsCodes.send({ phone, purpose: type, address: request.ip, deliver, limits });
    return carriedOut;
  });

  const sendCaptcha = async (purpose: CaptchaPurpose, request: FastifyRequest, reply: FastifyReply) => {
    const { captcha_id, image } = await captchas.create(shareOf(request, maxDrawingsWaiting));
    setCookie(request, reply, captchaCookie(purpose), captcha_id, captchaSeconds);
    reply.header('cache-control', 'no-store');
    return Buffer.from(image.slice(image.indexOf(',') + 1), 'base64');
  };

  serve(server, application, loginJoin, async ({ parameters, context, request }) => {
    const { register, register_sms, register_captcha } = await settings();
    if (register === 'off') throw new Refusal('registerOff');
    const { username, nickname, avatar, sign, phone, code, password } = parameters;
    if (register_captcha === 'on') await mustSolve(parameters, request, 'join');
    // A phone that is given has to be shown to be one's own, whether it must be given or not.
    if (phone === undefined && register_sms === 'on') throw new Refusal('missing', '缺少参数phone');
    const checked = phone === undefined ? undefined : await checkCode(phone, code, request.ip);
    const passwordHash = await passwords.hash(password, shareOf(request));
    const profile = { username, nickname, avatar, sign, phone: phone ?? null };
    const account = { ...profile, passwordHash, parent: null };
    const spend = async () => checked && smsCodes.spend(checked);
    const { position } = await registerUser(application, account, context, spend);
    return shownAt(position);
  });

  const login = async ({ parameters, request, reply }: Call<z.infer<typeof loginLogin.parameters>>) => {
    const current = await settings();
    const { login_captcha, token_days } = current;
    const { username, phone, password } = parameters;
    const name = username ?? phone;
    if (name === undefined) throw new Refusal('missing', '缺少参数username');
    if (login_captcha === 'on') await mustSolve(parameters, request, 'login');
    const account = await ownerOfPassword(application, request, name, password);
    const { token } = await tokens.issue(account);
    const profile = await findProfile(database, presence, { uid: account.uid });
    if (!profile) throw new Refusal('notReady');
    const expires = token_days * secondsADay;
    // A page of somebody else could otherwise log its visitor in to an account of its own.
    const { origin } = request.headers;
    if (origin === undefined || isTrusted(origin, request, current)) {
      setCookie(request, reply, tokenCookie, token, expires);
    }
    return { ...profile, token, expires };
  };

  serve(server, application, loginLogin, async (call) => ({ data: await login(call) }));
  serve(server, application, loginCheck, async (call) => ({
    data: { ...(await login(call)), sso: '' as const },
  }));

  serve(server, application, loginLogout, async ({ caller, request, reply }) => {
    if (caller.kind !== 'user') throw new Refusal('illegal', '当前未登录,无需退出');
    await tokens.end(caller.token);
    setCookie(request, reply, tokenCookie, '', 0);
    return carriedOut;
  });

  serve(
    server,
    application,
    serviceForgetPass,
    async ({ parameters: { phone, code, username, newpass }, request }) => {
      const checked = await smsCodes.check(phone, 'forget', code, request.ip);
      const account = await names.byPhone(phone);
      const named = await names.byUsername(username);
      if (!account || account.uid !== named?.uid) throw new Refusal('illegal', '手机号与账号不匹配');
      await smsCodes.spend(checked);
      await passwords.change(account.uid, newpass, shareOf(request), { address: request.ip });
      security.change('a password was changed', actorOf(request, account.uid), 'an SMS code');
      return carriedOut;
    },
  );

  serve(server, application, loginCaptcha, async ({ request }) => ({
    data: await captchas.create(shareOf(request, maxDrawingsWaiting)),
  }));
  servePicture(server, application, loginLoginCaptcha, async ({ request, reply }) =>
    sendCaptcha('login', request, reply),
  );
  servePicture(server, application, loginJoinCaptcha, async ({ request, reply }) =>
    sendCaptcha('join', request, reply),
  );
}

/** Gives a page a cookie, out of its scripts' reach. `maxAge` in seconds; 0 takes it away. */
function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  value: string,
  maxAge: number,
): void {
  reply.setCookie(name, value, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: request.protocol === 'https',
    maxAge,
  });
}
