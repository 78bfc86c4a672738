import type { FastifyRequest } from 'fastify';
import type { Settings } from '../../contracts/settings.ts';

/** Our host for clients: that of the setting `ws_address`, or else the one that the caller used. */
export function publicHost(request: FastifyRequest, { ws_address }: Pick<Settings, 'ws_address'>): string {
  const url = URL.canParse(ws_address) ? new URL(ws_address) : undefined;
  return url?.host || request.host;
}
