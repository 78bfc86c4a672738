import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { userAvatar } from '../../../contracts/avatars.ts';
import { escapeTexts } from '../../../contracts/escaped-texts.ts';
import { apiPrefixes } from '../../../contracts/http/contract.ts';
import type { Uid } from '../../../contracts/ids.ts';
import type { ProfilePush } from '../../../contracts/push/friend.ts';
import { keptPosition } from '../../../contracts/push/position.ts';
import { SocketId } from '../../../contracts/push/protocol.ts';
import type { Settings } from '../../../contracts/settings.ts';
import { shownToken } from '../../accounts/shown-token.ts';
import { type App, authOf, channelText, userText } from '../../app-keys/signature.ts';
import type { PageRequest } from '../../edge/proxies.ts';
import { type RequestLimits, takeAddressTurn, takeTokenTurn } from '../../edge/rate-limit.ts';
import type { SecurityLog } from '../../edge/security-log.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import type { Sessions } from '../connections/sessions.ts';
import { type Channel, chatOf, isPresence, readChannel, uidOf } from '../subscriptions/channel-name.ts';
import type { ChatRights } from '../subscriptions/chat-rights.ts';
import type { Looks } from '../subscriptions/look.ts';

/** The settings by which the endpoints answer. */
export type AuthSettings = RequestLimits & Pick<Settings, 'escape_html'>;

export interface AuthOptions {
  readonly app: App;
  readonly sessions: Sessions;
  readonly looks: Looks;
  readonly rights: ChatRights;
  readonly database: ReadingDatabase;
  readonly security: SecurityLog;
  readonly settings: () => AuthSettings;
  /** The token of the login cookie, if the request's origin may use it. */
  cookieToken(request: PageRequest): Promise<string | undefined>;
}

/** As in the push `profile`. */
type UserInfo = z.infer<typeof ProfilePush>;

/** Who asks for a signature. A server may ask for itself, or for a person. */
interface Caller {
  readonly server: boolean;
  readonly uid: Uid | undefined;
  readonly session: string | undefined;
}

const text = z.string().optional().catch(undefined);
const Asked = z.object({
  socket_id: text,
  channel_name: text,
  token: text,
  since: text,
  login_uid: z.coerce.string().optional().catch(undefined),
});
type Asked = z.infer<typeof Asked>;

/** Pusher's endpoints that sign subscriptions and sign-ins: a refusal is 403. */
export function authRoutes(server: FastifyInstance, options: AuthOptions): void {
  const channelAuth = async (request: FastifyRequest, reply: FastifyReply) => {
    const asked = readAsked(request);
    const caller = await callerOf(options, request, asked);
    const socketId = SocketId.safeParse(asked.socket_id).data;
    const channel = readChannel(asked.channel_name ?? '');
    if (caller === undefined) return refuse(reply, '请先登录');
    if (socketId === undefined) return refuse(reply, '参数socket_id不合法');
    if (channel === undefined) return refuse(reply, '参数channel_name不合法');
    if (!(await maySign(options, caller, channel))) return refuse(reply, '没有权限订阅该频道');
    const data = await channelData(options, caller, channel, asked.since);
    return { auth: authOf(options.app, channelText(socketId, channel.name, data)), channel_data: data };
  };
  const userAuth = async (request: FastifyRequest, reply: FastifyReply) => {
    const asked = readAsked(request);
    const caller = await callerOf(options, request, asked);
    const socketId = SocketId.safeParse(asked.socket_id).data;
    if (caller?.uid === undefined) return refuse(reply, '请先登录');
    if (socketId === undefined) return refuse(reply, '参数socket_id不合法');
    const user_info = await userInfo(options, caller.uid);
    const data = JSON.stringify({ id: String(caller.uid), user_info, session: caller.session });
    return { auth: authOf(options.app, userText(socketId, data)), user_data: data };
  };
  const counted = {
    config: { counts: 'own' as const },
    onRequest: (request: FastifyRequest, reply: FastifyReply) => countRequest(options, request, reply),
  };
  server.post('/pusher/auth', counted, channelAuth);
  server.post('/plugin/webman/push/auth', counted, channelAuth);
  for (const prefix of apiPrefixes) server.post(`${prefix}/push/auth`, counted, channelAuth);
  server.post('/pusher/user-auth', counted, userAuth);
}

/**
 * Counts a request before its body is read: for the token, if a header or the query holds a valid one, else for
 * the address. The server's key has no limit; a wrong one is refused here.
 */
async function countRequest(
  options: AuthOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const caller = await callerOf(options, request, Asked.parse(request.query));
  if (caller?.server) return undefined;
  if (caller?.session !== undefined) {
    takeTokenTurn(caller.session, options.settings());
    return undefined;
  }
  takeAddressTurn(request.ip, options.settings(), 'light');
  return showsKey(request) ? refuse(reply, '请先登录') : undefined;
}

function refuse(reply: FastifyReply, error: string): FastifyReply {
  return reply.code(403).send({ error });
}

function readAsked(request: FastifyRequest): Asked {
  const query = Asked.safeParse(request.query).data;
  const body = Asked.safeParse(request.body).data;
  return {
    socket_id: body?.socket_id ?? query?.socket_id,
    channel_name: body?.channel_name ?? query?.channel_name,
    token: body?.token ?? query?.token,
    since: body?.since ?? query?.since,
    login_uid: body?.login_uid ?? query?.login_uid,
  };
}

async function callerOf(
  { app, sessions, security, cookieToken }: AuthOptions,
  request: FastifyRequest,
  asked: Asked,
): Promise<Caller | undefined> {
  const { 'x-app-key': key, 'x-app-secret': secret } = request.headers;
  if (showsKey(request)) {
    if (!same(key, app.key) || !same(secret, app.secret)) {
      security.attempt("a server's key was wrong", { address: request.ip, reqId: request.id });
      return undefined;
    }
    return { server: true, uid: uidOf(asked.login_uid), session: undefined };
  }
  const token = shownToken(request.headers) ?? (asked.token || (await cookieToken(request)));
  const session = token ? await sessions.verify(token) : undefined;
  return session && { server: false, uid: session.uid, session: session.hash };
}

function showsKey({ headers }: FastifyRequest): boolean {
  return headers['x-app-key'] !== undefined || headers['x-app-secret'] !== undefined;
}

function same(given: string | string[] | undefined, expected: string): boolean {
  const one = Buffer.from(String(given));
  const other = Buffer.from(expected);
  return one.length === other.length && timingSafeEqual(one, other);
}

async function maySign(
  { looks, rights }: AuthOptions,
  { server, uid }: Caller,
  channel: Channel,
): Promise<boolean> {
  switch (channel.kind) {
    case 'user':
      return uid === channel.uid;
    case 'group':
    case 'group presence':
      return uid !== undefined && (await looks.look([uid, channel.gid])).joinedPlace !== undefined;
    case 'chat':
    case 'chat presence': {
      const chat = uid && chatOf(channel, uid);
      return chat !== undefined && (await rights.of(chat)).chat;
    }
    case 'global':
    case 'public':
      return true;
    default:
      return server;
  }
}

/**
 * Tells the gateway who hears, also on private channels; under which token; and from which position on, since
 * stock clients can name that in the parameters of this call alone.
 */
async function channelData(
  options: AuthOptions,
  caller: Caller,
  channel: Channel,
  since: string | undefined,
): Promise<string> {
  const { uid, session } = caller;
  const shown = isPresence(channel) && uid !== undefined;
  return JSON.stringify({
    user_id: uid === undefined ? 'server' : String(uid),
    user_info: shown ? await userInfo(options, uid) : undefined,
    session,
    since: since ? keptPosition(since) : undefined,
  });
}

/** What others on a presence channel see of a person, escaped as a push is; undefined if there is no such person. */
async function userInfo({ database, settings }: AuthOptions, uid: Uid): Promise<unknown> {
  const { rows } = await database.query<Omit<UserInfo, 'uid'>>(
    'select nickname, avatar from read.users where uid = $1',
    [uid],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const info: UserInfo = { uid, nickname: row.nickname, avatar: userAvatar(row.avatar) };
  return settings().escape_html === 'on' ? escapeTexts(JSON.stringify(info)) : info;
}
