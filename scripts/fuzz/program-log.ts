import { z } from 'zod';
import { readJson } from '../../contracts/push/protocol.ts';

const Line = z.looseObject({ level: z.int(), msg: z.string().optional() });

/** From this level on a line of the log is a fault: error. */
const leastLevel = 50;

/** What is wrong with a line that the program has written to stderr; undefined if nothing is. */
export function judgeLogLine(line: string): string | undefined {
  const entry = Line.safeParse(readJson(line)).data;
  if (entry === undefined) return 'the program wrote a line that is no entry of its log';
  return entry.level < leastLevel ? undefined : `the program logged: ${entry.msg ?? 'nothing'}`;
}
