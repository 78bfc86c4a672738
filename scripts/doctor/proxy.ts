import { once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { trustOf } from '../../services/edge/proxies.ts';
import type { Environment } from '../../services/environment.ts';
import { reasonOf } from '../../services/error-reason.ts';
import { examineCertificate } from './certificate.ts';
import { findAppKeys } from './data-folder.ts';
import { type Finding, findings } from './finding.ts';
import { examineForwarding, stranger } from './forwarding.ts';
import { endpointOf } from './reachable.ts';
import { examineUploadSize } from './upload-size.ts';

const { ok, warning, fault } = findings('proxy');

const timeoutMs = 5_000;
const loopback = /^(127\.|::1$|localhost$)/;
/** A host that no proxy of anybody's has. */
const forgedHost = 'forged.invalid';

/** What `pop/getsetting` answers, as far as it depends on what the proxy says. */
const Answer = z.object({ data: z.object({ ws_address: z.string(), appkey: z.string() }) });

/** Whether the proxies in front are set up, as far as the variables show. */
export function examineTrust({ host, trustProxy }: Environment): Finding[] {
  if (trustProxy === undefined || trustProxy === 0) {
    return [ok('none is believed (TRUST_PROXY is not set): each connection is a client of its own address')];
  }
  const believed = typeof trustProxy === 'number' ? `${trustProxy} in a row` : trustProxy.join(', ');
  const anybody = trustOf(trustProxy)(stranger, 0);
  if (!anybody || loopback.test(host)) return [ok(`believed are ${believed}`)];
  return [
    warning(
      `${believed} are believed, and ${host} can be reached past them`,
      'name their addresses in TRUST_PROXY, or set HOST=127.0.0.1: else anybody names any address',
    ),
  ];
}

/**
 * Whether clients reach the program by its public address: calls, websockets, the addresses that the program gives out.
 * @param publicUrl `https://im.example.com`
 * @param maxMb the setting `upload_file_mb`
 */
export async function examinePublic(
  publicUrl: URL,
  environment: Environment,
  maxMb: number,
): Promise<Finding[]> {
  const { host, protocol } = publicUrl;
  const certificate =
    protocol === 'https:' ? [await examineCertificate({ name: host, ...endpointOf(publicUrl) })] : [];
  let answer: z.infer<typeof Answer>['data'];
  try {
    answer = await askSettings(publicUrl, {});
  } catch (error) {
    const found = `${publicUrl.origin} does not lead to bubble-im: ${reasonOf(error)}`;
    return [...certificate, fault(found, 'look at the proxy: docs/operations.md, A configuration for nginx')];
  }
  return [
    ...certificate,
    ok(`${publicUrl.origin} leads to bubble-im`),
    examineAddress(publicUrl, answer.ws_address),
    await examineForging(publicUrl, answer.ws_address),
    ...(await examineClients(publicUrl, environment)),
    await examineUpgrade(publicUrl, answer.appkey),
    await examineUploadSize(publicUrl, maxMb),
  ];
}

/** The websocket's address that clients get: it is of their own host and scheme if the proxy is believed. */
function examineAddress({ hostname, protocol }: URL, given: string): Finding {
  const found = `clients are sent to ${given} for the websocket`;
  const address = URL.canParse(given) ? new URL(given) : undefined;
  const scheme = protocol === 'https:' ? 'wss:' : 'ws:';
  if (address?.hostname === hostname && address.protocol === scheme) return ok(found);
  return fault(
    found,
    'name the proxy in TRUST_PROXY, and have it set X-Forwarded-Proto and X-Forwarded-Host; or correct the setting ws_address',
  );
}

/** What a client itself says of its host must not pass through the proxy. */
async function examineForging(publicUrl: URL, given: string): Promise<Finding> {
  const forged = await askSettings(publicUrl, { 'x-forwarded-host': forgedHost });
  if (forged.ws_address === given) return ok('headers that clients forge do not pass through it');
  return fault(
    'it passes X-Forwarded-Host of clients through, and the program believes it',
    'have the proxy set X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host itself',
  );
}

/** Who the program takes for the client. It says that to the holder of its key, which is sent over no open line. */
async function examineClients(publicUrl: URL, environment: Environment): Promise<Finding[]> {
  const { origin, protocol } = publicUrl;
  if (protocol !== 'https:' && !loopback.test(endpointOf(publicUrl).host)) {
    const found = `${origin} is not encrypted: passwords and messages can be read on the way`;
    return [warning(found, 'put a proxy with TLS in front: docs/operations.md, A configuration for nginx')];
  }
  // A key that cannot be read is a finding about the data folder.
  const keys = await findAppKeys(environment).catch(() => undefined);
  if (keys === undefined) return [];
  return [await examineForwarding(publicUrl, keys, environment.trustProxy)];
}

async function examineUpgrade({ host, protocol }: URL, appKey: string): Promise<Finding> {
  const address = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/app/${appKey}?protocol=7`;
  const socket = new WebSocket(address, { handshakeTimeout: timeoutMs });
  try {
    const [first] = await once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) });
    if (String(first).includes('pusher:connection_established')) return ok('it opens websockets');
    return fault(`a websocket through it was refused: ${String(first)}`, 'see docs/realtime.md for the code');
  } catch (error) {
    const found = `a websocket through it is not opened: ${reasonOf(error)}`;
    return fault(
      found,
      'have the proxy pass Upgrade and Connection on (docs/operations.md, A configuration for nginx)',
    );
  } finally {
    socket.on('error', () => undefined);
    socket.terminate();
  }
}

async function askSettings(publicUrl: URL, headers: Readonly<Record<string, string>>) {
  const response = await fetch(new URL('/api/pop/getsetting', publicUrl), {
    headers,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const { success, data } = Answer.safeParse(await response.json().catch(() => undefined));
  if (!success) throw new Error(`it answers ${response.status}, and nothing of ours`);
  return data.data;
}
