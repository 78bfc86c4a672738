import { z } from 'zod';

const Line = z.looseObject({ level: z.int(), msg: z.string().optional() });

/** From this level on a line of the log is a fault: error. */
const leastLevel = 50;

/** What is wrong with a line that the program has written to stderr; undefined if nothing is. */
export function judgeLogLine(line: string): string | undefined {
  const entry = Line.safeParse(jsonOf(line)).data;
  if (entry === undefined) return 'the program wrote a line that is no entry of its log';
  return entry.level < leastLevel ? undefined : `the program logged: ${entry.msg ?? 'nothing'}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
