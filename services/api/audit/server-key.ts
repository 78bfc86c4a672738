import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../../contracts/codes.ts';
import { cachedSettings } from '../../commands/setting.ts';
import type { Application } from '../application.ts';
import { identify } from '../caller.ts';

/** Admits the server's key alone, to a route that no contract describes. */
export function serverKeyOnly(application: Application) {
  return async (request: FastifyRequest): Promise<void> => {
    const caller = await identify(request, application, cachedSettings(application.store));
    if (caller.kind !== 'server') throw new Refusal('illegal', '没有权限调用该接口');
    request.caller = caller;
  };
}
