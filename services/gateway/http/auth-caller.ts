import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Uid } from '../../../contracts/ids.ts';
import type { ChannelAuth } from '../../../contracts/push/auth-calls.ts';
import type { App } from '../../app-keys/signature.ts';
import { readCredentials, showsServerKey } from '../../edge/credentials.ts';
import type { PageRequest } from '../../edge/proxies.ts';
import { countAddressRequest, countTokenRequest, type RequestLimits } from '../../edge/rate-limit.ts';
import type { SecurityLog } from '../../edge/security-log.ts';
import type { Sessions } from '../connections/sessions.ts';
import { uidOf } from '../subscriptions/channel.ts';

export interface AuthCallerOptions {
  readonly app: App;
  readonly sessions: Sessions;
  readonly security: SecurityLog;
  readonly settings: () => RequestLimits;
  /** The token in the login cookie, if the request's origin may use it. */
  cookieToken(request: PageRequest): Promise<string | undefined>;
}

/** Who asks for a signature: a person, or a server for itself or for a person. */
export interface AuthCaller {
  readonly server: boolean;
  readonly uid: Uid | undefined;
  readonly tokenHash: string | undefined;
}

const text = z.string().optional().catch(undefined);
const AuthParameters = z.object({
  socket_id: text,
  channel_name: text,
  token: text,
  since: text,
  login_uid: z.coerce.string().optional().catch(undefined),
} satisfies Record<keyof z.infer<typeof ChannelAuth>, z.ZodType>);
export type AuthParameters = z.infer<typeof AuthParameters>;

/** The parameters of a request: those of the body go before those of the query. */
export function readAuthParameters(request: FastifyRequest): AuthParameters {
  const query = AuthParameters.safeParse(request.query).data;
  const body = AuthParameters.safeParse(request.body).data;
  return {
    socket_id: body?.socket_id ?? query?.socket_id,
    channel_name: body?.channel_name ?? query?.channel_name,
    token: body?.token ?? query?.token,
    since: body?.since ?? query?.since,
    login_uid: body?.login_uid ?? query?.login_uid,
  };
}

/** Identifies the caller; undefined if it has no valid key and no valid token. @throws what the database throws. */
export async function identifyCaller(
  options: AuthCallerOptions,
  request: FastifyRequest,
  parameters: AuthParameters,
): Promise<AuthCaller | undefined> {
  const credentials = readCredentials(request, options);
  if (credentials.kind === 'server') {
    if (!credentials.valid) return undefined;
    request.who = 'server';
    return { server: true, uid: uidOf(parameters.login_uid), tokenHash: undefined };
  }
  const shown = credentials.kind === 'token' ? credentials.token : parameters.token;
  const token = shown || (await options.cookieToken(request));
  const session = token ? await options.sessions.verify(token) : undefined;
  request.who = session ? `${session.uid}` : 'nobody';
  return session && { server: false, uid: session.uid, tokenHash: session.tokenHash };
}

/**
 * Counts a request before its body is read: for its token, if a header or the query has a valid one, else for its
 * address. Requests with the server's key are not limited; those with a wrong key are refused.
 */
export async function countAuthRequest(
  options: AuthCallerOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const caller = await identifyCaller(options, request, AuthParameters.parse(request.query));
  if (caller?.server) return undefined;
  if (caller?.tokenHash !== undefined) {
    countTokenRequest(caller.tokenHash, options.settings());
    return undefined;
  }
  countAddressRequest(request.ip, options.settings(), 'light');
  return showsServerKey(request.headers) ? refuse(reply, '请先登录') : undefined;
}

/** Answers 403: Pusher's clients expect it of these endpoints. */
export function refuse(reply: FastifyReply, error: string): FastifyReply {
  return reply.code(403).send({ error });
}
