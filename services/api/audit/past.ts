import { Refusal } from '../../../contracts/codes.ts';
import { QueryError } from '../../audit/as-of/query.ts';
import { QuestionError } from '../../audit/explain/question.ts';
import { type Moment, presentMoment } from '../../audit/moment.ts';
import { momentNamed, NoMoment } from '../../audit/named-moment.ts';
import { NotFound } from '../../audit/not-found.ts';
import { FairQueue } from '../../fair-queue.ts';
import type { EventLog } from '../../log/log.ts';

/**
 * Questions about the past read thousands of events: one at a time, with a rest as long as it took, so that
 * everybody else keeps at least half of the process.
 */
const questions = new FairQueue({ maxRunning: 1, maxRestMs: 1_000 });

/** How many questions may wait: as many as are answered within a minute or two at the longest. */
const share = { of: 'server', maxWaiting: 10 };

/** How long a question is worked on at most, in milliseconds. Longer ones are for the command line. */
const maxQuestionMs = 10_000;

/**
 * Works on a question about the past, once those before it are answered.
 * @param answer ends, with the signal's reason, once it has taken too long
 * @throws Refusal tooMany, tooSlow; illegal for a question that cannot be read, noRecord for what is not in the log
 */
export function askThePast<Answer>(answer: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
  return questions.run(share, async () => {
    const signal = AbortSignal.timeout(maxQuestionMs);
    try {
      return await answer(signal);
    } catch (error) {
      if (signal.aborted && error === signal.reason) {
        throw new Refusal('tooSlow', '涉及的事件过多,请使用命令行');
      }
      if (error instanceof QuestionError) throw Refusal.illegal('question', `: ${error.message}`);
      if (error instanceof QueryError) throw Refusal.illegal('query', `: ${error.message}`);
      if (error instanceof NoMoment) throw Refusal.illegal('at', `: ${error.message}`);
      if (error instanceof NotFound) throw new Refusal('noRecord', `记录不存在: ${error.message}`);
      throw error;
    }
  });
}

/** The moment that a request names, or the present. @throws NoMoment; LogFailure */
export async function momentOf(log: EventLog, at: string | undefined, now: number): Promise<Moment> {
  return at === undefined ? presentMoment(now) : momentNamed(log, at, now);
}
