/**
 * Why a server cannot listen where it was told to, in words for who starts the program.
 * @returns the error to throw in place of the one given.
 */
export function explainListening(error: unknown, host: string, port: number): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const place = `port ${port} on ${host}`;
  switch (code) {
    case 'EADDRINUSE':
      return new Error(`${place} is taken by another program: stop it, or set another PORT`, {
        cause: error,
      });
    case 'EACCES':
      return new Error(`${place} may not be used by this user: set a PORT above 1023`, { cause: error });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Error(`${host} is no address of this machine: set another HOST`, { cause: error });
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}
