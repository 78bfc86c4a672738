import type { FastifyInstance } from 'fastify';
import * as contract from '../../contracts/http/reply.ts';
import { ReplyId } from '../../contracts/ids.ts';
import { addReply, deleteReply, mustBeMember, updateReply } from '../commands/reply.ts';
import { findReplies } from '../queries/replies.ts';
import type { Application } from './application.ts';
import { serve, shownAt } from './route.ts';

/** The customer-service replies of members (docs/behaviour.md, Messages). */
export function replyRoutes(server: FastifyInstance, application: Application): void {
  const { store, database } = application;

  serve(server, application, contract.replyGet, async ({ me }) => {
    const uid = me();
    await mustBeMember(store, uid);
    return { data: await findReplies(database, uid) };
  });

  serve(server, application, contract.replyAdd, async ({ parameters, me, context }) => {
    const { type, title, content, weights = 0, is_default: isDefault = false } = parameters;
    const reply = { uid: me(), type, title, content, weights, isDefault };
    return shownAt(await addReply(application, reply, context));
  });

  serve(server, application, contract.replyUpdate, async ({ parameters, me, context }) => {
    const { rid, type, title, content, weights, is_default: isDefault } = parameters;
    const changes = { type, title, content, weights, isDefault };
    const command = { uid: me(), rid: ReplyId.parse(rid), changes };
    return shownAt(await updateReply(application, command, context));
  });

  serve(server, application, contract.replyDelete, async ({ parameters: { rid }, me, context }) => {
    const command = { uid: me(), rid: ReplyId.parse(rid) };
    return shownAt(await deleteReply(application, command, context));
  });
}
