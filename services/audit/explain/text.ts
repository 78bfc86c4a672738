import { localTime } from '../local-time.ts';
import type { EventCause, ExplainedStep, Explanation } from './explain.ts';

/** An explanation for people to read, line by line; the last line is the answer in one sentence. */
export function explanationLines({ steps, omitted, answer }: Explanation): string[] {
  const earlier = omitted === 0 ? [] : [`(${omitted} earlier changes are not shown: --steps)`];
  return [...earlier, ...steps.flatMap(stepLines), ...(steps.length > 0 ? [''] : []), answer];
}

function stepLines({ time, words, cause }: ExplainedStep): string[] {
  const head = `${localTime(time)}  ${words}`;
  return [head, ...(cause.kind === 'time' ? [`    ${cause.what}`] : causeLines(cause))];
}

function causeLines({ type, stream, revision, position, by, request, beside }: EventCause): string[] {
  const others = beside?.map((other) => `${other.type} at ${other.stream}@${other.revision}`) ?? [];
  return [
    `    ${type} at ${stream}@${revision} (position ${position}), by ${by}, request ${request}`,
    ...(others.length > 0 ? [`    the same request: ${others.join(', ')}`] : []),
  ];
}
