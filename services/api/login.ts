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
import { captchaSeconds } from '../accounts/captcha.ts';
import { join, logIn, logOut, resetPassword } from '../commands/login.ts';
import { currentSettings } from '../commands/setting.ts';
import { sendOwnCode, sendPublicCode } from '../commands/sms-codes.ts';
import { findProfile } from '../queries/people.ts';
import type { Application } from './application.ts';
import { cookieOf, isTrusted, maxDrawingsWaiting, requesterOf, shareOf, tokenCookie } from './caller.ts';
import { type Call, carriedOut, serve, servePicture, shownAt } from './route.ts';

const secondsADay = 86_400;

/** Characters of a User-Agent that are kept with a session: browsers send up to some 150. */
const maxDeviceLength = 200;

/** What a captcha's picture is solved for. A page may show both pictures, so each has a cookie of its own. */
type CaptchaPurpose = 'login' | 'join';
const captchaCookie = (purpose: CaptchaPurpose) => `${purpose}_captcha_id`;

/** Joining, logging in and out, SMS codes, the captcha (docs/behaviour.md, Login and SMS). */
export function loginRoutes(server: FastifyInstance, application: Application): void {
  const { captchas, database, presence, store } = application;

  /** The picture's id comes as a parameter, or in the cookie that came with the picture itself. */
  const captchaOf = (
    { captcha_id, captcha: answer }: { captcha_id?: string | undefined; captcha?: string | undefined },
    request: FastifyRequest,
    purpose: CaptchaPurpose,
  ) => ({ id: captcha_id ?? cookieOf(request, captchaCookie(purpose)), answer });

  serve(server, application, serviceSendSms, async ({ parameters: { phone, type }, request }) => {
    await sendPublicCode(application, { phone, purpose: type, address: request.ip });
    return carriedOut;
  });

  serve(server, application, userSendSmsPass, async ({ parameters: { phone, type }, me, request }) => {
    await sendOwnCode(application, me(), { phone, purpose: type, address: request.ip });
    return carriedOut;
  });

  const sendCaptcha = async (purpose: CaptchaPurpose, request: FastifyRequest, reply: FastifyReply) => {
    const { captcha_id, image } = await captchas.create(shareOf(request, maxDrawingsWaiting));
    setCookie(request, reply, captchaCookie(purpose), captcha_id, captchaSeconds);
    reply.header('cache-control', 'no-store');
    return Buffer.from(image.slice(image.indexOf(',') + 1), 'base64');
  };

  serve(server, application, loginJoin, async ({ parameters, context, request }) => {
    const { captcha_id: _, phone, code, ...profile } = parameters;
    const joining = { ...profile, phone, code, captcha: captchaOf(parameters, request, 'join') };
    return shownAt(await join(application, joining, requesterOf(request), context));
  });

  const login = async ({
    parameters,
    context,
    request,
    reply,
  }: Call<z.infer<typeof loginLogin.parameters>>) => {
    const { username, phone, password } = parameters;
    const name = username ?? phone;
    if (name === undefined) throw Refusal.missing('username');
    const device = request.headers['user-agent']?.slice(0, maxDeviceLength);
    const claimed = { name, password, captcha: captchaOf(parameters, request, 'login'), device };
    const { uid, token } = await logIn(application, claimed, requesterOf(request), context);
    const profile = await findProfile(database, presence, { uid });
    if (!profile) throw new Refusal('notReady');
    const settings = await currentSettings(store);
    const expires = settings.token_days * secondsADay;
    // A page of somebody else could otherwise log its visitor in to an account of its own.
    const { origin } = request.headers;
    if (origin === undefined || isTrusted(origin, request, settings)) {
      setCookie(request, reply, tokenCookie, token, expires);
    }
    return { ...profile, token, expires };
  };

  serve(server, application, loginLogin, async (call) => ({ data: await login(call) }));
  serve(server, application, loginCheck, async (call) => ({
    data: { ...(await login(call)), sso: '' as const },
  }));

  serve(server, application, loginLogout, async ({ caller, context, request, reply }) => {
    if (caller.kind !== 'user') throw new Refusal('illegal', '当前未登录,无需退出');
    await logOut(application, caller, context);
    setCookie(request, reply, tokenCookie, '', 0);
    return carriedOut;
  });

  serve(server, application, serviceForgetPass, async ({ parameters, context, request }) => {
    const { phone, code, username, newpass: password } = parameters;
    await resetPassword(application, { phone, code, username, password }, requesterOf(request), context);
    return carriedOut;
  });

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
