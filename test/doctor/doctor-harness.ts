import { examine } from '../../scripts/doctor/examination.ts';
import type { Finding } from '../../scripts/doctor/finding.ts';
import { readEnvironment } from '../../services/environment.ts';
import { temporaryFolder } from '../support/folder.ts';

/** What the doctor finds of an installation that is at rest or runs, without its examination of the machine. */
export async function examined(
  environment: Readonly<Record<string, string>>,
  publicUrl?: string,
): Promise<Finding[]> {
  const folder = environment.DATA_DIR ?? (await temporaryFolder());
  const url = publicUrl === undefined ? undefined : new URL(publicUrl);
  return examine(readEnvironment({ PORT: '0', ...environment, DATA_DIR: folder }), url);
}

/** The findings about one thing, as `state: found`. */
export function about(what: string, findings: readonly Finding[]): string[] {
  return findings.filter((each) => each.about === what).map(({ state, found }) => `${state}: ${found}`);
}

/** The faults, as `about: found`. */
export function faultsOf(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ state }) => state === 'fault')
    .map(({ about: what, found }) => `${what}: ${found}`);
}
