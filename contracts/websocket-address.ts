/** The parts of a websocket's address: scheme, host, port, the rest. */
const parts = /^(wss?|https?):\/\/(\[[^\]]*\]|[^:/?#[\]]+)(:\d*)?(?=$|[/?#])(.*)$/is;

/**
 * A websocket's address with an explicit port, for clients that split it at the colons and use the third part. An
 * address of another scheme stays as it is.
 */
export function withPort(address: string): string {
  const [, scheme = '', host = '', port = '', rest = ''] = parts.exec(address) ?? [];
  if (host === '') return address;
  const standard = /^(wss|https)$/i.test(scheme) ? ':443' : ':80';
  return `${scheme}://${host}${port.length > 1 ? port : standard}${rest}`;
}

/** Of a host with its port in a request: a name has at most 253 characters. */
const maxHostLength = 261;

/** The websocket's address under the host that a request names, with its port. */
export function websocketAddress({
  protocol,
  host,
}: {
  readonly protocol: string;
  readonly host: string;
}): string {
  return withPort(`${protocol === 'https' ? 'wss' : 'ws'}://${host.slice(0, maxHostLength)}`);
}

/** The websocket's address that clients are given, with its port: that of the setting `ws_address`, if it is set. */
export function givenAddress(
  setting: string,
  request: { readonly protocol: string; readonly host: string },
): string {
  return setting === '' ? websocketAddress(request) : withPort(setting);
}
