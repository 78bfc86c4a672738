import type { FastifyInstance } from 'fastify';
import { auditExplain } from '../../contracts/http/explain.ts';
import { explain } from '../audit/explain/explain.ts';
import { parseQuestion } from '../audit/explain/question.ts';
import { requestsInIndex } from '../audit/index/requests.ts';
import { abortable } from '../audit/readable-log.ts';
import { findMessageOrigin } from '../queries/messages.ts';
import type { Application } from './application.ts';
import { askThePast, momentOf } from './past.ts';
import { serve } from './route.ts';

/** Why something is so: decisions replayed from the log (docs/operations.md, Explaining). */
export function explainRoutes(server: FastifyInstance, application: Application): void {
  const { log, database, pool, now } = application;

  serve(server, application, auditExplain, ({ parameters: { question, at, steps } }) =>
    askThePast(async (signal) => {
      const parsed = parseQuestion(question.split(' ').filter(Boolean));
      const moment = await momentOf(log, at, now());
      const findOrigin = async (mid: Parameters<typeof findMessageOrigin>[1]) => {
        const found = await findMessageOrigin(database, mid);
        return found && { mid, ...found };
      };
      const findRequest = await requestsInIndex(log, pool);
      const parts = { log: abortable(log, signal), findOrigin, findRequest };
      const { question: _, ...explanation } = await explain(parts, parsed, moment, steps);
      return { data: explanation };
    }),
  );
}
