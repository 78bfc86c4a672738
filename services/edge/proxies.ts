import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { all, compile } from '@fastify/proxy-addr';

/** The proxies in front: how many there are, or their addresses and networks (`10.0.0.0/8`). */
export type Proxies = number | readonly string[];

/**
 * Whether an address is trusted to name the client that it forwards a request for. `hop` is 0 for the address that
 * connects to us, 1 for the one that it names, and so on.
 */
export type Trust = (address: string, hop: number) => boolean;

/** Trusts no address: forwarded addresses, hosts and protocols are ignored. */
export const trustNone: Trust = () => false;

/** Whom to trust if these proxies are in front. */
export function trustOf(proxies: Proxies | undefined): Trust {
  if (proxies === undefined) return trustNone;
  if (typeof proxies === 'number') return (_address, hop) => hop < proxies;
  return compile([...proxies]);
}

/** Whether a text is an address, or a network written as address/bits. */
export function isAddressOrNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  // The network of all addresses is none: who believes everybody believes each client.
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** Who makes a request, and how they reached us. */
export interface Client {
  readonly address: string;
  readonly protocol: 'http' | 'https';
  /** With its port, if the client named one. */
  readonly host: string;
}

/** The parts of a request that name the page that sent it, and its cookies. */
export interface PageRequest extends Pick<Client, 'host'> {
  readonly protocol: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * The client of a request that Fastify does not handle, such as the upgrade to a websocket. It equals `ip`,
 * `protocol` and `host` of a Fastify request under the same trust.
 */
export function clientOf(request: IncomingMessage, trust: Trust): Client {
  const { headers, socket } = request;
  const forwarded = trust(socket.remoteAddress ?? '', 0) ? headers : {};
  // Some proxies name the protocol of a websocket by its own scheme.
  const secure = /^(https|wss)$/.test(lastOf(forwarded['x-forwarded-proto']));
  return {
    address: all(request, trust).at(-1) ?? '',
    protocol: secure ? 'https' : 'http',
    host: lastOf(forwarded['x-forwarded-host']) || (headers.host ?? ''),
  };
}

/** The last value of a header that may be repeated: the one that the nearest proxy wrote. */
function lastOf(header: string | string[] | undefined): string {
  const [last = ''] = String(header ?? '')
    .split(',')
    .slice(-1);
  return last.trim();
}
