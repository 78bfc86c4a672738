import type { AccessEvent } from '../../../contracts/events/access.ts';
import type { Contract } from '../../../contracts/http/contract.ts';

/** Longer parameters are cut at this many characters: a record names a question and repeats no text. */
const maxParameterLength = 200;

/** The event that records a call which asks about the past; undefined for other calls. */
export function auditUseOf(
  { path }: Pick<Contract, 'path'>,
  given: Readonly<Record<string, unknown>>,
): AccessEvent | undefined {
  if (!path.startsWith('/audit/')) return undefined;
  const shown = Object.entries(given).map(([name, value]) =>
    `${name}=${String(value)}`.slice(0, maxParameterLength).toWellFormed(),
  );
  return { type: 'AuditUsed', data: { command: path, arguments: shown } };
}
