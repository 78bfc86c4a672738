import { errorCode } from '../error-code.ts';

/** The errors of a database that cannot be reached or is busy, by code, or by message if there is no code. */
const away =
  /^(08|53|57|55P03|40)|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOENT|EPIPE|Connection terminated|timeout exceeded|connection timeout|the connection ended|the database has not answered|proved dead|not queryable|is a standby/;

/** Whether an error or its cause says that the database cannot be reached or is busy, so that a retry may help. */
export function saysAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return away.test(errorCode(error) ?? error.message) || saysAway(error.cause);
}

/** The same for the message of an error. */
export function isReasonAway(reason: unknown): boolean {
  return typeof reason === 'string' && away.test(reason);
}
