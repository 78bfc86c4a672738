import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { userGetUserInfo } from '../../contracts/http/aliases.ts';
import { maxFriendsListed } from '../../contracts/http/friend.ts';
import { popDelChat, popGet, popGetSetting } from '../../contracts/http/pop.ts';
import type { Uid } from '../../contracts/ids.ts';
import { PublicSettings } from '../../contracts/settings.ts';
import { givenAddress } from '../../contracts/websocket-address.ts';
import { changeChat } from '../commands/change-chat.ts';
import { currentSettings } from '../commands/setting.ts';
import { ticketOf } from '../gateway/connections/ticket.ts';
import { findChats, findGroups } from '../queries/chats.ts';
import { countOpenApplications, findContacts } from '../queries/contacts.ts';
import { findProfile } from '../queries/people.ts';
import type { Application } from './application.ts';
import type { Caller } from './caller.ts';
import { chatOf } from './chat.ts';
import { serve, shownAt } from './route.ts';

/** The home page's data and the settings (docs/behaviour.md, Uploads, QR codes, settings). */
export function popRoutes(server: FastifyInstance, application: Application): void {
  const { app, store, database, presence } = application;

  const shownSettings = async (request: FastifyRequest) => {
    const settings = PublicSettings.parse(await currentSettings(store));
    return {
      ...settings,
      dirty_words: '' as const,
      appkey: app.key,
      ws_address: givenAddress(settings.ws_address, request),
    };
  };

  const findMine = async (uid: Uid) => {
    const [profile, unread_friend_apply_count] = await Promise.all([
      findProfile(database, presence, { uid }),
      countOpenApplications(database, uid),
    ]);
    if (!profile) throw new Refusal('noUser');
    const { username, sign, nickname, avatar } = profile;
    return { uid, username, sign, nickname, avatar, unread_friend_apply_count };
  };

  /** As `shownSettings`; `ws_address` carries a ticket of the caller's session, if the settings want that. */
  const ownSettings = async (request: FastifyRequest, caller: Caller) => {
    const shown = await shownSettings(request);
    const { ws_ticket } = await currentSettings(store);
    if (ws_ticket === 'off' || caller.kind !== 'user') return shown;
    const ws_address = `${shown.ws_address.replace(/\/+$/, '')}/ticket/${ticketOf(app, caller.tokenHash)}`;
    return { ...shown, ws_address };
  };

  serve(server, application, popGet, async ({ parameters: { limit, start }, me, caller, request }) => {
    const uid = me();
    const [mine, friend, group, chatting, setting] = await Promise.all([
      findMine(uid),
      findContacts(database, presence, uid, { limit: maxFriendsListed, start: 0 }),
      findGroups(database, uid),
      findChats(database, uid, { limit, start }),
      ownSettings(request, caller),
    ]);
    return { data: { mine, friend, group, chatting, setting: { ...setting, id: 2 as const } } };
  });

  serve(server, application, userGetUserInfo, async ({ me }) => ({ data: await findMine(me()) }));

  serve(server, application, popDelChat, async ({ parameters: { id, type }, me, context }) => {
    const uid = me();
    return shownAt(await changeChat(application, uid, chatOf(uid, type, id), { state: 'hidden' }, context));
  });

  serve(server, application, popGetSetting, async ({ request }) => ({
    data: { ...(await shownSettings(request)), id: '2' as const },
  }));
}
