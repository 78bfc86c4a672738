import type { FastifyInstance } from 'fastify';
import { type Chat, conversationOf } from '../../contracts/chat.ts';
import { readModelCategories } from '../../contracts/events/index.ts';
import * as contract from '../../contracts/http/message.ts';
import { Gid, Mid, Uid } from '../../contracts/ids.ts';
import { websocketAddress } from '../../contracts/websocket-address.ts';
import { markChatRead, readMessages } from '../commands/reading.ts';
import { removeMessage } from '../commands/remove-message.ts';
import { withdrawMessage } from '../commands/withdraw-message.ts';
import { findMissedPushes } from '../pushes/missed-pushes.ts';
import { countUnread } from '../queries/unread.ts';
import type { Application } from './application.ts';
import { chatOf } from './chat.ts';
import { serve, shownAt } from './route.ts';

/** Messages and reading them (docs/behaviour.md, Messages). */
export function messageRoutes(server: FastifyInstance, application: Application): void {
  const { app, database, log } = application;
  const inLog = async (place: string) => place <= (await log.end(readModelCategories));

  serve(server, application, contract.messageSend, async ({ parameters, me, context }) => {
    const { to, type, content, quote_mid, uniqueId } = parameters;
    const from = me();
    const quoteMid = quote_mid ? Mid.parse(quote_mid) : undefined;
    const command = { from, to: chatOf(from, type, to, 'to'), content, quoteMid, uniqueId };
    const { mid, position } = await application.sender.send(command, context);
    return { data: { mid }, position };
  });

  serve(server, application, contract.messageGet, async ({ parameters, me, context }) => {
    const { id, type, limit, mid: before } = parameters;
    const reader = me();
    const asked = { reader, chat: chatOf(reader, type, id), limit, before };
    const { messages, position } = await readMessages(application, asked, context);
    return { data: messages, position };
  });

  serve(
    server,
    application,
    contract.messageRevoke,
    async ({ parameters: { id, type, mid }, uid: by, context }) => {
      if (by === undefined) {
        const chat: Chat = type === 'group' ? { type, id: Gid.parse(id) } : { type, id: Uid.parse(id) };
        return shownAt(await withdrawMessage(application, { chat, mid }, context));
      }
      const command = { by, chat: chatOf(by, type, id), mid };
      return shownAt(await removeMessage(application, 'revoke', command, context));
    },
  );

  serve(server, application, contract.messageDelete, async ({ parameters, me, context }) => {
    const { id, type, mid, ty } = parameters;
    const by = me();
    const taking = ty === 1 ? 'delete for self' : 'delete for all';
    return shownAt(
      await removeMessage(application, taking, { by, chat: chatOf(by, type, id), mid }, context),
    );
  });

  serve(server, application, contract.messageUnreadCount, async ({ parameters: { id, type }, me }) => {
    const uid = me();
    return { data: await countUnread(database, uid, conversationOf(uid, chatOf(uid, type, id))) };
  });

  serve(server, application, contract.messageUpdateLastReadTime, async ({ parameters, me, context }) => {
    const { id, type } = parameters;
    const uid = me();
    return shownAt(await markChatRead(application, uid, chatOf(uid, type, id), context));
  });

  serve(server, application, contract.messageSync, async ({ parameters: { since, limit }, me, request }) => {
    const recipient = { uid: me(), appkey: app.key, wsAddress: websocketAddress(request) };
    const { events, ...rest } = await findMissedPushes(application.pool, recipient, since, limit, inLog);
    return { data: { events: [...events], ...rest } };
  });
}
