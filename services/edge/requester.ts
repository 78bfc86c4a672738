import type { Uid } from '../../contracts/ids.ts';
import type { Share } from '../fair-queue.ts';
import type { Actor } from './security-log.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes the request, for the request log: a uid, `server` or `nobody`. Undefined until that is known. */
    who?: string;
  }
}

/** Who makes a request, as limits and the security log name them. */
export interface Requester {
  readonly address: string;
  readonly reqId: string;
  /** Whose share of the password hashing the request uses. */
  readonly share: Share;
}

/**
 * A requester as the security log writes them.
 * @param uid whose account the line is about, if that is known
 */
export function actorOf({ address, reqId }: Requester, uid?: Uid): Actor {
  return { address, reqId, ...(uid !== undefined && { uid }) };
}
