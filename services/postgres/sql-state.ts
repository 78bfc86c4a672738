import { errorCode } from '../error-code.ts';

/** The SQLSTATE of an error of Postgres; undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Of a table or a schema that does not exist. */
const missing = new Set(['42P01', '3F000']);

/** Whether Postgres says that a table or its schema does not exist, as before the first start of a version that has it. */
export function isMissingTable(error: unknown): boolean {
  return missing.has(sqlState(error) ?? '');
}
