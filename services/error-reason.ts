import { z } from 'zod';

/** What an error says, in one line, with its causes unless it repeats them, and the error of every address that was tried. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Its message is JSON, over many lines.
  if (error instanceof z.ZodError) return error.issues.map(issueInWords).join(', ');
  const several = error instanceof AggregateError ? error.errors.map(reasonOf).join(', ') : '';
  const code = 'code' in error ? String(error.code) : error.name;
  const own = error.message || several || code;
  const cause = error.cause === undefined ? '' : reasonOf(error.cause);
  return (cause === '' || own.includes(cause) ? own : `${own} (${cause})`).replaceAll(/\s*\n\s*/g, ' ');
}

/** What is wrong with a value, and at which key of it. */
function issueInWords({ path, message }: z.core.$ZodIssue): string {
  const key = z.core.toDotPath(path);
  if (key === '') return message;
  return message.endsWith('received undefined') ? `${key} is missing` : `${key}: ${message}`;
}
