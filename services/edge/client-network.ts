import { isIPv6 } from 'node:net';

/** An address with the port of the client's connection, as some proxies write `X-Forwarded-For`. */
const withPort = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/;

/**
 * The network that limits count in place of an address: the first 64 bits of IPv6, since one household or machine
 * has all addresses of such a network; IPv4 as it is, also if it is written as IPv6. Without the port, which differs
 * between connections.
 */
export function networkOf(given: string): string {
  const [, six, four] = withPort.exec(given) ?? [];
  const address = six ?? four ?? given;
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const width = behind.at(-1)?.includes('.') ? behind.length + 1 : behind.length;
  const left = tail === undefined ? 0 : Math.max(0, 8 - groups.length - width);
  const all = [...groups, ...Array<string>(left).fill('0'), ...behind];
  const first = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}
