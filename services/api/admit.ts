import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { type Contract, isQuery } from '../../contracts/http/contract.ts';
import type { Settings } from '../../contracts/settings.ts';
import { currentSettings } from '../commands/setting.ts';
import { countAddressRequest, countTokenRequest } from '../edge/rate-limit.ts';
import type { Application } from './application.ts';
import { type Caller, identify } from './caller.ts';
import { actorOf } from './request-context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; set when a route of the API has admitted the request. */
    caller?: Caller;
  }
}

/**
 * The settings, if calls of this kind are answered now. It is asked twice: before the body is read, and after,
 * since the log may have gone back meanwhile.
 * @throws Refusal notReady
 */
export function settingsWhenReady(
  { obstacle, store }: Pick<Application, 'obstacle' | 'store'>,
  contract: Contract,
): Promise<Settings> {
  const refusal = obstacle(isQuery(contract) ? 'queries' : 'commands');
  if (refusal) throw refusal;
  return currentSettings(store);
}

/**
 * Finds out who calls, before the body is read, and counts the request against their limit: that of the token, or of
 * the address without a valid token. The server's key has no limit; a wrong key counts for the address.
 * @throws Refusal notReady, illegal for a wrong key, tooMany, notLoggedIn
 */
export async function admit(
  request: FastifyRequest,
  contract: Contract,
  application: Application,
): Promise<Caller> {
  const { access } = contract;
  const settings = await settingsWhenReady(application, contract);
  const caller = await identify(request, application, settings).catch((error: unknown) => {
    // While the database is away the caller is unknown, and callers with tokens may share the address of a proxy.
    if (error instanceof Refusal && error.reason !== 'notReady') countAddressRequest(request.ip, settings);
    throw error;
  });
  request.who = actorOf(caller);
  if (caller.kind === 'user') countTokenRequest(caller.tokenHash, settings);
  if (caller.kind === 'nobody') {
    countAddressRequest(request.ip, settings);
    if (access !== 'open') throw new Refusal('notLoggedIn');
  }
  return caller;
}
