import { isIPv6 } from 'node:net';

/** An address with the port of the client's connection, as some proxies write it into `X-Forwarded-For`. */
const withPort = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/;

/**
 * What is counted in place of an address: of IPv6 the first 64 bits, of which one household or machine has all,
 * and of an IPv4 address that is written as IPv6 the IPv4 address. Without a port, which is another one for
 * each connection.
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
