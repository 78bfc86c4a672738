/** The code of an error, as Node gives it (`ENOENT`) or Postgres (`23505`); undefined for what has none. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
