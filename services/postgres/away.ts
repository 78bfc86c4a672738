/** The errors of a database that is away or busy, by code or, if there is none, by message. */
const away =
  /^(08|53|57|55P03|40)|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOENT|EPIPE|Connection terminated|timeout exceeded|connection timeout|the connection ended|the database has not answered|proved dead|not queryable/;

/** Whether an error, or what caused it, says that the database is away or busy: what was asked may be repeated. */
export function saysAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return away.test(typeof code === 'string' ? code : error.message) || saysAway(error.cause);
}

/** Whether a text, the reason why a connection broke, says so. */
export function isReasonAway(reason: unknown): boolean {
  return typeof reason === 'string' && away.test(reason);
}
