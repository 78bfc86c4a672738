import type { FastifyRequest } from 'fastify';
import type { Settings } from '../../contracts/settings.ts';

/** Under which host clients find us: that of the websocket's address where one is set, else as the caller did. */
export function publicHost(request: FastifyRequest, { ws_address }: Pick<Settings, 'ws_address'>): string {
  const url = URL.canParse(ws_address) ? new URL(ws_address) : undefined;
  return url?.host || request.host;
}
