import { errorCode } from '../error-code.ts';

/** The SQLSTATE of an error of Postgres; undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
