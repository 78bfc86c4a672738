import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../../contracts/codes.ts';
import { auditAsOf } from '../../../contracts/http/as-of.ts';
import { parseQuery } from '../../audit/as-of/query.ts';
import type { Application } from '../application.ts';
import { answerQuery, type ReadWhole } from '../past/query.ts';
import { serve } from '../route.ts';
import { askThePast, momentOf } from './past.ts';

/** All events are read only from the command line: it takes minutes. */
function onNoIndex(reads: ReadWhole): void {
  if (reads === 'all events') throw new Refusal('noRecord', '日志没有索引,请使用命令行');
}

/** What was so at a moment (docs/operations.md, The state of a moment). */
export function asOfRoutes(server: FastifyInstance, application: Application): void {
  const { app, log, pool, logger, now } = application;
  const onLost = () => logger.error('the read models lack messages that the log has');

  serve(server, application, auditAsOf, ({ parameters: { at, query, from_log: fromLog }, request }) =>
    askThePast(async (signal) => {
      const asked = parseQuery(query.split(' ').filter(Boolean));
      const moment = await momentOf(log, at, now());
      const { host, protocol } = request;
      const parts = {
        ...{ app, log, pool, logger, host, protocol, keep: false, fromLog, signal, onLost },
        onNoIndex: fromLog ? () => undefined : onNoIndex,
      };
      return { data: { at: moment.time, answer: JSON.parse(await answerQuery(parts, asked, moment)) } };
    }),
  );
}
