/** What an error says, in one line, with its causes unless it repeats them, and the error of every address that was tried. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const several = error instanceof AggregateError ? error.errors.map(reasonOf).join(', ') : '';
  const code = 'code' in error ? String(error.code) : error.name;
  const own = error.message || several || code;
  const cause = error.cause === undefined ? '' : reasonOf(error.cause);
  return (cause === '' || own.includes(cause) ? own : `${own} (${cause})`).replaceAll(/\s*\n\s*/g, ' ');
}
