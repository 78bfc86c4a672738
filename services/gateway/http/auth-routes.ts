import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { userAvatar } from '../../../contracts/avatars.ts';
import { escapeTexts } from '../../../contracts/escaped-texts.ts';
import { apiPrefixes } from '../../../contracts/http/contract.ts';
import type { Uid } from '../../../contracts/ids.ts';
import type { ProfilePush } from '../../../contracts/push/friend.ts';
import { keptPosition } from '../../../contracts/push/position.ts';
import { SocketId } from '../../../contracts/push/protocol.ts';
import type { Settings } from '../../../contracts/settings.ts';
import { authOf, channelText, userText } from '../../app-keys/signature.ts';
import type { RequestLimits } from '../../edge/rate-limit.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import { type Channel, chatOf, isPresence, readChannel } from '../subscriptions/channel.ts';
import type { ChatRights } from '../subscriptions/chat-rights.ts';
import type { Snapshots } from '../subscriptions/snapshot.ts';
import {
  type AuthCaller,
  type AuthCallerOptions,
  countAuthRequest,
  identifyCaller,
  readAuthParameters,
  refuse,
} from './auth-caller.ts';

/** The settings that the endpoints use. */
export type AuthSettings = RequestLimits & Pick<Settings, 'escape_html'>;

export interface AuthOptions extends AuthCallerOptions {
  readonly snapshots: Snapshots;
  readonly rights: ChatRights;
  readonly database: ReadingDatabase;
  readonly settings: () => AuthSettings;
}

/** As in the push `profile`. */
type UserInfo = z.infer<typeof ProfilePush>;

/** Pusher's endpoints that sign subscriptions and sign-ins. A refusal is 403. */
export function authRoutes(server: FastifyInstance, options: AuthOptions): void {
  const channelAuth = async (request: FastifyRequest, reply: FastifyReply) => {
    const parameters = readAuthParameters(request);
    const caller = await identifyCaller(options, request, parameters);
    const socketId = SocketId.safeParse(parameters.socket_id).data;
    const channel = readChannel(parameters.channel_name ?? '');
    if (caller === undefined) return refuse(reply, '请先登录');
    if (socketId === undefined) return refuse(reply, '参数socket_id不合法');
    if (channel === undefined) return refuse(reply, '参数channel_name不合法');
    if (!(await maySign(options, caller, channel))) return refuse(reply, '没有权限订阅该频道');
    const data = await channelData(options, caller, channel, parameters.since);
    return { auth: authOf(options.app, channelText(socketId, channel.name, data)), channel_data: data };
  };
  const userAuth = async (request: FastifyRequest, reply: FastifyReply) => {
    const parameters = readAuthParameters(request);
    const caller = await identifyCaller(options, request, parameters);
    const socketId = SocketId.safeParse(parameters.socket_id).data;
    if (caller?.uid === undefined) return refuse(reply, '请先登录');
    if (socketId === undefined) return refuse(reply, '参数socket_id不合法');
    const user_info = await userInfo(options, caller.uid);
    const data = JSON.stringify({ id: String(caller.uid), user_info, session: caller.tokenHash });
    return { auth: authOf(options.app, userText(socketId, data)), user_data: data };
  };
  const counted = {
    config: { counts: 'own' as const },
    onRequest: (request: FastifyRequest, reply: FastifyReply) => countAuthRequest(options, request, reply),
  };
  server.post('/pusher/auth', counted, channelAuth);
  server.post('/plugin/webman/push/auth', counted, channelAuth);
  for (const prefix of apiPrefixes) server.post(`${prefix}/push/auth`, counted, channelAuth);
  server.post('/pusher/user-auth', counted, userAuth);
}

async function maySign(
  { snapshots, rights }: AuthOptions,
  { server, uid }: AuthCaller,
  channel: Channel,
): Promise<boolean> {
  switch (channel.kind) {
    case 'user':
      return uid === channel.uid;
    case 'group':
    case 'group presence':
      return uid !== undefined && (await snapshots.read([uid, channel.gid])).joinedPosition !== undefined;
    case 'chat':
    case 'chat presence': {
      const chat = uid && chatOf(channel, uid);
      return chat !== undefined && (await rights.of(chat)).chat;
    }
    case 'announcements':
      return uid !== undefined;
    case 'global':
    case 'public':
      return true;
    default:
      return server;
  }
}

/**
 * Makes the signed `channel_data`, also for private channels: the gateway reads from it who subscribes, on which token
 * the subscription depends, and the position from which it resumes (stock clients can name that only here).
 */
async function channelData(
  options: AuthOptions,
  caller: AuthCaller,
  channel: Channel,
  since: string | undefined,
): Promise<string> {
  const { uid, tokenHash } = caller;
  const showsUser = isPresence(channel) && uid !== undefined;
  return JSON.stringify({
    user_id: uid === undefined ? 'server' : String(uid),
    user_info: showsUser ? await userInfo(options, uid) : undefined,
    session: tokenHash,
    since: since ? keptPosition(since) : undefined,
  });
}

/** What presence channels show of a person, escaped like a push; undefined if the person does not exist. */
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
