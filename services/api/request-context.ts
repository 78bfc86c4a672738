import type { FastifyRequest } from 'fastify';
import type { Uid } from '../../contracts/ids.ts';
import type { Settings } from '../../contracts/settings.ts';
import { sessionOf } from '../accounts/token-hash.ts';
import type { App } from '../app-keys/signature.ts';
import type { CommandContext, Origin } from '../commands/context.ts';
import { keptAddress } from '../edge/client-network.ts';
import type { Caller } from './caller.ts';

/** What the events of a command say of the request that caused it. */
export function contextOf(
  request: Pick<FastifyRequest, 'id' | 'ip'>,
  caller: Caller,
  uid: Uid | undefined,
  app: Pick<App, 'key'>,
  settings: Pick<Settings, 'audit_address'>,
): Pick<CommandContext, 'actor' | 'origin' | 'correlationId'> {
  const address = keptAddress(request.ip, settings.audit_address);
  const origin: Origin = {
    ...(caller.kind === 'server' && { key: app.key, ...(uid !== undefined && { for: uid }) }),
    ...(caller.kind === 'user' && { session: sessionOf(caller.tokenHash) }),
    ...(address !== undefined && { address }),
  };
  return { actor: actorOf(caller), origin, correlationId: request.id };
}

/** Who calls, as events and the request log name them. */
export function actorOf(caller: Caller): CommandContext['actor'] {
  return caller.kind === 'user' ? `${caller.uid}` : caller.kind;
}
