import { type ExplainParts, type Explanation, explain } from '../../services/audit/explain/explain.ts';
import { originFinder } from '../../services/audit/explain/origin-finder.ts';
import { parseQuestion } from '../../services/audit/explain/question.ts';
import { type Moment, momentAfter, presentMoment } from '../../services/audit/moment.ts';
import type { Position } from '../../services/log/log.ts';
import type { RunningApplication } from './application.ts';

/** Explains by the log of a running application; now, unless another moment is given. */
export function explained(
  { application }: RunningApplication,
  question: string,
  { moment = presentMoment(application.now()), maxSteps }: { moment?: Moment; maxSteps?: number } = {},
): Promise<Explanation> {
  const parts: ExplainParts = {
    log: application.log,
    findOrigin: originFinder(application.database, application.log),
  };
  return explain(parts, parseQuestion(question.split(' ')), moment, maxSteps);
}

/** The moment after the event at a position, as in the past. */
export async function momentAfterPosition(
  { application }: RunningApplication,
  position: Position,
): Promise<Moment> {
  const event = await application.log.at(position);
  if (!event) throw new Error(`there is no event at ${position}`);
  return momentAfter(event);
}
