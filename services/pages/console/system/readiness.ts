import type { z } from 'zod';
import type { Readiness as Contract } from '../../../../contracts/http/probes.ts';
import type { TextName } from '../texts.ts';

/** The answer of `/ready`. */
export type Readiness = z.output<typeof Contract>;

/** @throws TypeError if the server cannot be reached; SyntaxError if something else answers */
export async function readReadiness(): Promise<Readiness> {
  return (await fetch('/ready')).json();
}

/** How the system is, as a whole. */
export function stateOf({ ready, degraded = [] }: Readiness): 'allWell' | 'degraded' | 'notReady' {
  if (!ready) return 'notReady';
  return degraded.length > 0 ? 'degraded' : 'allWell';
}

/** How a part is: one that is named as degraded is not needed for most of what the system does. */
export function stateOfPart(
  { parts, degraded = [] }: Readiness,
  name: string,
): 'ready' | 'degraded' | 'failed' {
  if (parts[name]?.ready) return 'ready';
  return degraded.includes(name) ? 'degraded' : 'failed';
}

/** What to do about each part that is not ready (docs/operations.md, What to watch). */
const advice: Readonly<Record<string, TextName>> = {
  serving: 'notReady-serving',
  tables: 'notReady-tables',
  log: 'notReady-log',
  database: 'notReady-database',
  projections: 'notReady-projections',
  projector: 'notReady-projector',
  commands: 'notReady-commands',
  ids: 'notReady-ids',
  gateway: 'notReady-gateway',
  bus: 'notReady-bus',
  files: 'notReady-files',
  audit: 'notReady-audit',
  proof: 'notReady-proof',
};

/** The parts that are not ready, with what to do: first those without which nothing works. */
export function troublesOf(readiness: Readiness) {
  return Object.entries(readiness.parts)
    .map(([name, { reason }]) => ({ name, reason, state: stateOfPart(readiness, name) }))
    .filter(({ state }) => state !== 'ready')
    .sort((one, other) => other.state.localeCompare(one.state))
    .map((trouble) => ({ ...trouble, advice: advice[trouble.name] ?? 'notReady-other' }));
}
