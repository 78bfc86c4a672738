import type { FastifyInstance } from 'fastify';
import { developmentSms } from '../../contracts/http/development.ts';
import type { Application } from './application.ts';
import { serve } from './route.ts';

/** Shows the SMS codes that the development provider keeps, if it is in use. */
export function developmentRoutes(server: FastifyInstance, application: Application): void {
  const { smsInbox } = application;
  if (!smsInbox) return;
  serve(server, application, developmentSms, async ({ parameters: { phone } }) => ({
    data: phone === undefined ? await smsInbox.latest() : await smsInbox.sentTo(phone),
  }));
}
