import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { categories } from '../../contracts/events/index.ts';
import * as message from '../../contracts/http/message.ts';
import { Mid, type Uid } from '../../contracts/ids.ts';
import { websocketAddress } from '../../contracts/websocket-address.ts';
import { markRead, readNewest } from '../commands/change-chat.ts';
import { removeMessage } from '../commands/remove-message.ts';
import { type Chat, conversationOf } from '../domain/chat.ts';
import { groupStream } from '../domain/group.ts';
import { findMissedPushes } from '../pushes/missed-pushes.ts';
import { readPage } from '../queries/history.ts';
import { findMessage } from '../queries/messages.ts';
import { findReading } from '../queries/reading.ts';
import { countUnread } from '../queries/unread.ts';
import type { Application } from './application.ts';
import { chatOf } from './chat.ts';
import { carriedOut, serve, shownAt } from './route.ts';

/** Messages and reading them (docs/behaviour.md, Messages). */
export function messageRoutes(server: FastifyInstance, application: Application): void {
  const { app, database, log, pool, sender, store } = application;
  const inLog = async (place: string) => place <= (await log.end(categories));

  /**
   * Whether someone reads a chat: anyone a chat with another person, only its members a group's. A page that is
   * open on a group when its user is removed goes on asking; a refusal would be shown to that user each time.
   */
  const takesPart = async (uid: Uid, chat: Chat): Promise<boolean> => {
    if (chat.type === 'friend') return true;
    const { state } = await store.load(groupStream(chat.id));
    return state !== null && !state.dissolved && state.members.has(uid);
  };

  serve(server, application, message.messageSend, async ({ parameters, me, context }) => {
    const { to, type, content, quote_mid, uniqueId } = parameters;
    const from = me();
    const quoteMid = quote_mid ? Mid.parse(quote_mid) : undefined;
    const command = { from, to: chatOf(from, type, to, 'to'), content, quoteMid, uniqueId };
    const { mid, position } = await sender.send(command, context);
    return { data: { mid }, position };
  });

  serve(server, application, message.messageGet, async ({ parameters, me, context }) => {
    const { id, type, limit, mid } = parameters;
    const reader = me();
    const chat = chatOf(reader, type, id);
    if (!(await takesPart(reader, chat))) return { data: [] };
    const conversation = conversationOf(reader, chat);
    const reading = await findReading(database, reader, conversation);
    if (!reading) return { data: [] };
    if (mid === undefined) {
      const shown = { reader, conversation, limit };
      const { page, position } = await readNewest(application, shown, reading, context);
      return { data: page.map(({ message }) => message), position };
    }
    const place = await findMessage(database, conversation, mid);
    if (!place) throw new Refusal('noMessage');
    const between = { after: reading.from, before: place.sequence };
    const page = await readPage(database, { reader, conversation, ...between, limit });
    return { data: page.map(({ message }) => message) };
  });

  serve(
    server,
    application,
    message.messageRevoke,
    async ({ parameters: { id, type, mid }, me, context }) => {
      const by = me();
      const command = { by, chat: chatOf(by, type, id), mid };
      return shownAt(await removeMessage(application, 'revoke', command, context));
    },
  );

  serve(server, application, message.messageDelete, async ({ parameters, me, context }) => {
    const { id, type, mid, ty } = parameters;
    const by = me();
    const taking = ty === 1 ? 'delete for self' : 'delete for all';
    return shownAt(
      await removeMessage(application, taking, { by, chat: chatOf(by, type, id), mid }, context),
    );
  });

  serve(server, application, message.messageUnreadCount, async ({ parameters: { id, type }, me }) => {
    const uid = me();
    return { data: await countUnread(database, uid, conversationOf(uid, chatOf(uid, type, id))) };
  });

  serve(server, application, message.messageUpdateLastReadTime, async ({ parameters, me, context }) => {
    const { id, type } = parameters;
    const uid = me();
    const chat = chatOf(uid, type, id);
    if (!(await takesPart(uid, chat))) return carriedOut;
    return shownAt(await markRead(application, uid, conversationOf(uid, chat), {}, context));
  });

  serve(server, application, message.messageSync, async ({ parameters: { since, limit }, me, request }) => {
    const recipient = { uid: me(), appkey: app.key, wsAddress: websocketAddress(request) };
    const { events, ...rest } = await findMissedPushes(pool, recipient, since, limit, inLog);
    return { data: { events: [...events], ...rest } };
  });
}
