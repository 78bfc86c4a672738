import { expect, test } from 'vitest';
import { judgeForwarding } from '../../scripts/doctor/forwarding.ts';
import { type Proxies, trustOf } from '../../services/edge/proxies.ts';

const forged = '192.0.2.1';
const nginx = '10.0.0.2';
const balancer = '10.0.0.1';
const ours = '203.0.113.7';

/** What the doctor says of a request that comes over TLS by proxies, with this X-Forwarded-For at the end. */
function judged(proxies: Proxies | undefined, connection: string, forwardedFor: readonly string[]) {
  const trust = trustOf(proxies);
  const addresses = [connection, ...forwardedFor.toReversed()];
  const counted = addresses.findIndex((address, hop) => !trust(address, hop));
  const { state, found } = judgeForwarding(
    {
      address: addresses.at(counted) ?? '',
      connection,
      forwarded_for: forwardedFor.length === 0 ? null : forwardedFor.join(', '),
    },
    proxies,
    true,
  );
  return `${state}: ${found}`;
}

test.each([
  ['one proxy that adds the address, named', [nginx], nginx, [forged, ours]],
  ['one proxy that sets the address, named', [nginx], nginx, [ours]],
  ['two proxies, named by their network', ['10.0.0.0/8'], nginx, [forged, ours, balancer]],
  ['two proxies, counted', 2, nginx, [forged, ours, balancer]],
  ['a proxy on this machine, from which the doctor asks', ['127.0.0.1'], '127.0.0.1', [forged, '127.0.0.1']],
])('behind %s, each client counts with its own address', (_which, proxies, connection, forwardedFor) => {
  expect(judged(proxies, connection, forwardedFor)).toBe(
    'ok: each client counts with its own address, also one that forges X-Forwarded-For',
  );
});

test.each([
  ['none is named', undefined, nginx, [forged, ours], nginx],
  ['none is named, on this machine', undefined, '127.0.0.1', [forged, '127.0.0.1'], '127.0.0.1'],
  ['only the inner of two is named', [nginx], nginx, [forged, ours, balancer], balancer],
  ['one of two is counted', 1, nginx, [forged, ours, balancer], balancer],
])(
  'if %s, the doctor names the proxy whose clients count as one',
  (_which, proxies, connection, forwardedFor, named) => {
    expect(judged(proxies, connection, forwardedFor)).toBe(
      `fault: calls come by a proxy at ${named} that TRUST_PROXY does not name: all its clients count as one, and share its limits`,
    );
  },
);

test.each([
  ['more proxies are counted than there are', 2, nginx, [forged, ours]],
  ['the proxy passes the header of clients on as it is', [nginx], nginx, [forged]],
])(
  'if %s, the doctor says that clients can forge their address',
  (_which, proxies, connection, forwardedFor) => {
    expect(judged(proxies, connection, forwardedFor)).toMatch(
      /^fault: the program believes an address that a client names/,
    );
  },
);

test.each([
  [[], /^fault: the proxy at 10\.0\.0\.2 adds nothing to X-Forwarded-For: all its clients count as one/],
  [
    [forged, '203.0.113.7:51234'],
    /^fault: the proxy names clients as "203\.0\.113\.7:51234", which is no address/,
  ],
])('a proxy that sends %j is named with what it lacks', (forwardedFor, said) => {
  expect(judged(forwardedFor.length === 0 ? [nginx] : ['10.0.0.0/8'], nginx, forwardedFor)).toMatch(said);
});

test('a program that was started with another TRUST_PROXY than the doctor is named', () => {
  const client = { address: nginx, connection: nginx, forwarded_for: `${forged}, ${ours}` };
  expect(judgeForwarding(client, [nginx], true)).toMatchObject({
    state: 'fault',
    found: `the program counts this request as one of ${nginx}, and by TRUST_PROXY it would be ${ours}`,
  });
});
