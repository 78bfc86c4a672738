import { isIPv4, isIPv6 } from 'node:net';

/** An address with the port of the client's connection, as some proxies write `X-Forwarded-For`. */
const withPort = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/;

/**
 * The network that limits count in place of an address: the first 64 bits of IPv6, since one household or machine
 * has all addresses of such a network; IPv4 as it is, also if it is written as IPv6. Without the port, which differs
 * between connections.
 */
export function networkOf(given: string): string {
  const address = withoutPort(given);
  return isIPv6(address) ? `${groupsOf(address).slice(0, 4).join(':')}::/64` : address;
}

/** How much of a client's address events keep, by the setting `audit_address`. */
export type AddressKept = 'off' | 'short' | 'full';

/**
 * What events keep of a client's address: nothing, its network (an IPv4 /24 or an IPv6 /48, which many people share),
 * or all of it.
 */
export function keptAddress(given: string, kept: AddressKept): string | undefined {
  if (kept === 'off') return undefined;
  const address = withoutPort(given);
  if (kept === 'full') return address;
  if (isIPv6(address)) return `${groupsOf(address).slice(0, 3).join(':')}::/48`;
  return isIPv4(address) ? `${address.slice(0, address.lastIndexOf('.'))}.0/24` : undefined;
}

/** The address alone; an IPv4 address that is written as IPv6 as IPv4. */
function withoutPort(given: string): string {
  const [, six, four] = withPort.exec(given) ?? [];
  const address = six ?? four ?? given;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** The groups of an IPv6 address, as far as they lie before an IPv4 address at its end, without leading zeros. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const width = behind.at(-1)?.includes('.') ? behind.length + 1 : behind.length;
  const left = tail === undefined ? 0 : Math.max(0, 8 - groups.length - width);
  const all = [...groups, ...Array<string>(left).fill('0'), ...behind];
  return all.map((group) => Number.parseInt(group, 16).toString(16));
}
