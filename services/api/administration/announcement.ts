import type { FastifyInstance } from 'fastify';
import * as contract from '../../../contracts/http/announcement.ts';
import { announce, revokeAnnouncement, seeAnnouncements } from '../../commands/announcement.ts';
import { countUnseen, findAnnouncements, findSeen } from '../../queries/announcements.ts';
import type { Application } from '../application.ts';
import { serve, shownAt } from '../route.ts';

/** Announcements to everyone (docs/behaviour.md, Administration). */
export function announcementRoutes(server: FastifyInstance, application: Application): void {
  const { database } = application;

  serve(server, application, contract.announcementSend, async ({ parameters, context }) => {
    const { id, position } = await announce(application, parameters, context);
    return { data: { id }, position };
  });

  serve(server, application, contract.announcementRevoke, async ({ parameters: { id }, context }) =>
    shownAt(await revokeAnnouncement(application, id, context)),
  );

  serve(server, application, contract.announcementList, async ({ parameters: { before, limit }, uid }) => {
    const announcements = await findAnnouncements(database, { before, limit });
    if (uid === undefined) return { data: { announcements } };
    const seen = await findSeen(database, uid);
    return { data: { announcements, seen, unread: await countUnseen(database, uid, seen) } };
  });

  serve(server, application, contract.announcementSeen, async ({ parameters: { id }, me, context }) =>
    shownAt(await seeAnnouncements(application, { uid: me(), id }, context)),
  );
}
