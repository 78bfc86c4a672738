import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../../contracts/codes.ts';
import { auditStream } from '../../../contracts/http/audit-stream.ts';
import { streamThen } from '../../audit/as-of/stream-then.ts';
import { abortable } from '../../audit/readable-log.ts';
import type { Application } from '../application.ts';
import { serve } from '../route.ts';
import { shownRecord } from './events.ts';
import { askThePast } from './past.ts';

/** A stream at any of its revisions (docs/operations.md, The console). */
export function auditStreamRoutes(server: FastifyInstance, application: Application): void {
  const { log } = application;

  serve(server, application, auditStream, ({ parameters: { stream, revision } }) =>
    askThePast(async (signal) => {
      const found = await streamThen(abortable(log, signal), stream, revision);
      if (!found) throw new Refusal('noRecord');
      const { event, ...then } = found;
      return { data: { stream, ...then, event: shownRecord(event) } };
    }),
  );
}
