import { isIP } from 'node:net';
import { z } from 'zod';
import { systemStatus } from '../../contracts/http/system.ts';
import { type Proxies, trustOf } from '../../services/edge/proxies.ts';
import type { KeyPair } from '../../services/environment.ts';
import { type Finding, findings } from './finding.ts';

const { ok, fault } = findings('proxy');

const timeoutMs = 5_000;

/** Addresses of documentation (RFC 5737), which no client and no proxy has: what a client forges, and a client elsewhere. */
const forged = '192.0.2.1';
export const stranger = '198.51.100.1';

const Answer = z.object({ code: z.int(), data: z.unknown() });
const Status = systemStatus.data.pick({ client: true });

/** As whom the program counts a request, and how it came. */
export type CountedClient = z.infer<typeof Status>['client'];

/**
 * Whether the program tells clients apart that come by the public address, whatever they say of themselves.
 * @param publicUrl `https://im.example.com`; over another protocol the key can be read on the way
 */
export async function examineForwarding(
  publicUrl: URL,
  keys: KeyPair,
  proxies: Proxies | undefined,
): Promise<Finding> {
  const response = await fetch(new URL('/system/status', publicUrl), {
    headers: { 'x-app-key': keys.key, 'x-app-secret': keys.secret, 'x-forwarded-for': forged },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer = Answer.safeParse(await response.json().catch(() => undefined)).data;
  const status = Status.safeParse(answer?.data).data;
  if (answer?.code !== 0 || status === undefined) {
    return fault(
      `${publicUrl.origin} refuses the server’s key of this installation (status ${response.status})`,
      'correct the address, or run the doctor with the variables of the program: another installation may answer',
    );
  }
  return judgeForwarding(status.client, proxies, publicUrl.protocol === 'https:');
}

/**
 * Judges how a request was counted that named a forged address.
 * @param proxies those of TRUST_PROXY
 * @param encrypted whether it came over TLS, which a proxy ends
 */
export function judgeForwarding(
  { address, connection, forwarded_for: forwardedFor }: CountedClient,
  proxies: Proxies | undefined,
  encrypted: boolean,
): Finding {
  const named = (forwardedFor ?? '').split(',').flatMap((each) => each.trim() || []);
  const passesOn = named[0] === forged;
  // The first one is ours, as the outermost proxy saw it.
  const [ours, ...between] = passesOn ? named.slice(1) : named;
  const trust = trustOf(proxies);
  if (ours === undefined) {
    if (address === forged) return forgeable;
    if (!encrypted) return ok('no proxy names clients, and what they say of their address is not believed');
    return fault(
      `the proxy at ${connection} adds nothing to X-Forwarded-For: all its clients count as one, with its address`,
      'have it set X-Forwarded-For (docs/operations.md, A configuration for nginx), and name it in TRUST_PROXY',
    );
  }
  if (isIP(ours) === 0) {
    return fault(
      `the proxy names clients as "${ours}", which is no address`,
      'have it send addresses without a port',
    );
  }
  const counted = (chain: readonly string[]) => {
    const fromUs = [connection, ...chain.toReversed()];
    return fromUs.find((each, hop) => !trust(each, hop)) ?? fromUs.at(-1) ?? connection;
  };
  if (address !== counted(named)) {
    return fault(
      `the program counts this request as one of ${address}, and by TRUST_PROXY it would be ${counted(named)}`,
      'run the doctor with the variables of the program, or start that again with these',
    );
  }
  // Our own address may be that of a trusted proxy, as on the machine of one; another client's is not.
  const believed = counted([...(passesOn ? [forged] : []), stranger, ...between]);
  if (believed === stranger) {
    return ok('each client counts with its own address, also one that forges X-Forwarded-For');
  }
  if (believed === forged) return forgeable;
  return fault(
    `calls come by a proxy at ${believed} that TRUST_PROXY does not name: all its clients count as one, and share its limits`,
    `name ${believed} in TRUST_PROXY`,
  );
}

const forgeable = fault(
  'the program believes an address that a client names in X-Forwarded-For: limits by address do not hold',
  'have the proxy set X-Forwarded-For, and name in TRUST_PROXY its address, or no more proxies than there are',
);
