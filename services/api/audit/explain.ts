import type { FastifyInstance } from 'fastify';
import { auditExplain } from '../../../contracts/http/explain.ts';
import { explain } from '../../audit/explain/explain.ts';
import { originFinder } from '../../audit/explain/origin-finder.ts';
import { parseQuestion } from '../../audit/explain/question.ts';
import { requestsInIndex } from '../../audit/index/requests.ts';
import { abortable } from '../../audit/readable-log.ts';
import type { Application } from '../application.ts';
import { serve } from '../route.ts';
import { askThePast, momentOf } from './past.ts';

/** Why something is so: decisions replayed from the log (docs/operations.md, Explaining). */
export function explainRoutes(server: FastifyInstance, application: Application): void {
  const { log, database, pool, now } = application;

  serve(server, application, auditExplain, ({ parameters: { question, at, steps } }) =>
    askThePast(async (signal) => {
      const parsed = parseQuestion(question.split(' ').filter(Boolean));
      const moment = await momentOf(log, at, now());
      const findRequest = await requestsInIndex(log, pool);
      const readable = abortable(log, signal);
      const parts = { log: readable, findOrigin: originFinder(database, readable), findRequest };
      const { question: _, ...explanation } = await explain(parts, parsed, moment, steps);
      return { data: explanation };
    }),
  );
}
