/** The parts of a websocket's address: scheme, host, port, the rest. */
const parts = /^(wss?|https?):\/\/(\[[^\]]*\]|[^:/?#[\]]+)(:\d*)?(?=$|[/?#])(.*)$/is;

/**
 * A websocket's address with its port written out, for clients that split it at the colons and take the
 * third part. What has no scheme of the web is left as it is.
 */
export function withPort(address: string): string {
  const [, scheme = '', host = '', port = '', rest = ''] = parts.exec(address) ?? [];
  if (host === '') return address;
  const standard = /^(wss|https)$/i.test(scheme) ? ':443' : ':80';
  return `${scheme}://${host}${port.length > 1 ? port : standard}${rest}`;
}

/** The longest host, with its port, that is taken from a request: a name has 253 characters at most. */
const longestHost = 261;

/** The websocket's address by which a request reached us, with its port. */
export function websocketAddress({
  protocol,
  host,
}: {
  readonly protocol: string;
  readonly host: string;
}): string {
  return withPort(`${protocol === 'https' ? 'wss' : 'ws'}://${host.slice(0, longestHost)}`);
}
