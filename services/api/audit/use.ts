import type { AccessEvent } from '../../../contracts/events/access.ts';
import type { Contract } from '../../../contracts/http/contract.ts';
import { auditUse } from '../../audit/audit-use.ts';

/** The event that records a call which asks about the past; undefined for other calls. */
export function auditUseOf(
  { path }: Pick<Contract, 'path'>,
  given: Readonly<Record<string, unknown>>,
): AccessEvent | undefined {
  if (!path.startsWith('/audit/')) return undefined;
  return auditUse(
    path,
    Object.entries(given).map(([name, value]) => `${name}=${String(value)}`),
  );
}
