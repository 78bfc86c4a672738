import type { FastifyInstance } from 'fastify';
import { auditUploads } from '../../../contracts/http/audit-uploads.ts';
import type { Application } from '../application.ts';
import { serve } from '../route.ts';
import { askThePast } from './past.ts';

/** What was uploaded, by whom. */
export function auditUploadRoutes(server: FastifyInstance, application: Application): void {
  const { uploads } = application;

  // In the queue of the past: to sort a million uploads takes a second.
  serve(server, application, auditUploads, ({ parameters: { uid, start, limit } }) =>
    askThePast(async () => ({ data: await uploads.page(uid, { start, limit }) })),
  );
}
