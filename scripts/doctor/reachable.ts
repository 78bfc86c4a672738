import { once } from 'node:events';
import { connect } from 'node:net';

const timeoutMs = 3_000;

/** Opens a connection and closes it. @returns how long opening took, in milliseconds @throws what the network throws */
export async function connectionMs(host: string, port: number): Promise<number> {
  const began = performance.now();
  const socket = connect({ host, port });
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  try {
    await once(socket, 'connect');
    return performance.now() - began;
  } finally {
    socket.destroy();
  }
}

/** The host and the port of a URL. */
export function endpointOf(url: URL): { readonly host: string; readonly port: number } {
  const standard = url.protocol === 'https:' || url.protocol === 'wss:' ? 443 : 80;
  return { host: url.hostname.replaceAll(/^\[|\]$/g, ''), port: Number(url.port || standard) };
}
