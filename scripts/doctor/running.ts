import { once } from 'node:events';
import { createServer } from 'node:net';
import { z } from 'zod';
import {
  type Address,
  type AddressVariables,
  explainListening,
  metricsVariables,
  urlOf,
} from '../../services/listening.ts';
import { type Finding, findings } from './finding.ts';
import { connectionMs } from './reachable.ts';

const timeoutMs = 5_000;

/** What `/ready` answers (services/api/health.ts). */
const Ready = z.object({
  ready: z.boolean(),
  parts: z.record(z.string(), z.looseObject({ ready: z.boolean(), reason: z.string().optional() })),
});
export type Ready = z.infer<typeof Ready>;

/** What listens on the port of the program: a program of ours, by its `/ready`, nothing, or something else. */
export type Listening = { readonly ready: Ready } | 'nothing' | 'another program';

/** Asks what listens on the port of API and websocket. */
export async function findListening(address: Address): Promise<Listening> {
  if (!(await isTaken(address))) return 'nothing';
  const answer = await ask(`${urlOf(address)}/ready`).catch(() => undefined);
  const { data } = Ready.safeParse(answer);
  return data === undefined ? 'another program' : { ready: data };
}

/** Whether the port is served by us, or free and usable; of a program that runs, what its `/ready` says. */
export async function examinePort(address: Address, listening: Listening): Promise<Finding[]> {
  if (listening === 'another program') return [takenBy(address)];
  if (listening === 'nothing') return [await examineFree(address)];
  const { ok } = findings('port');
  return [ok(`${address.port} on ${address.host} is served by bubble-im`), ...examineReady(listening.ready)];
}

/** What a running program says of its parts. One that `/ready` does not need is not a fault. */
function examineReady({ ready, parts }: Ready): Finding[] {
  const { ok, warning, fault } = findings('ready');
  const remedy = 'docs/operations.md, What to watch, says what each part needs';
  const unready = Object.entries(parts).filter(([, part]) => !part.ready);
  // One cause stops several parts.
  const byReason = Map.groupBy(
    unready,
    ([, { reason, lag_ms: lag }]) =>
      reason ?? (lag === undefined ? 'it does not answer' : `it lags by ${lag} ms`),
  );
  const found = [...byReason].map(([why, stopped]) => {
    const names = stopped.map(([name]) => name).join(', ');
    return (ready ? warning : fault)(`not ready: ${names}: ${why}`, remedy);
  });
  return found.length > 0 ? found : [ok(`${Object.keys(parts).join(', ')}`)];
}

/** The same for the port of `/metrics`. */
export async function examineMetricsPort(address: Address | undefined): Promise<Finding[]> {
  if (address === undefined) return [];
  const { ok } = findings('port');
  if (!(await isTaken(address))) return [await examineFree(address, metricsVariables)];
  const answer = await fetch(`${urlOf(address)}/metrics`, { signal: AbortSignal.timeout(timeoutMs) })
    .then((response) => response.text())
    .catch(() => '');
  if (!answer.includes('bubble_')) return [takenBy(address, metricsVariables)];
  return [ok(`${address.port} on ${address.host} serves /metrics`)];
}

function takenBy(address: Address, variables?: AddressVariables): Finding {
  const taken = Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
  return findings('port').refused(new Error(explainListening(taken, address, variables).message));
}

/** A free port is tried only if it may be closed to this user; else any port of the address shows whether it is ours. */
async function examineFree(address: Address, variables?: AddressVariables): Promise<Finding> {
  const { host, port } = address;
  const { ok, refused } = findings('port');
  const server = createServer();
  try {
    server.listen({ host, port: port < firstOpenPort ? port : 0 });
    await once(server, 'listening');
    const what = port === 0 ? 'any port' : String(port);
    return ok(`${what} on ${host} is free: no bubble-im runs there`);
  } catch (error) {
    return refused(explainListening(error, address, variables));
  } finally {
    server.close();
  }
}

/** Lower ports are for root, as a rule. */
const firstOpenPort = 1_024;

async function isTaken(address: Address): Promise<boolean> {
  if (address.port === 0) return false;
  const { hostname } = new URL(urlOf(address));
  return connectionMs(hostname.replaceAll(/^\[|\]$/g, ''), address.port).then(
    () => true,
    () => false,
  );
}

async function ask(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  return response.json();
}
