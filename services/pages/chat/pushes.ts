import { revokedTexts } from '../../../contracts/message-texts.ts';
import type { PushData, PushName } from '../../../contracts/push/index.ts';
import { addAnnouncement, dropAnnouncement, loadAnnouncements } from './announcements.ts';
import { addApplications } from './applications.ts';
import { amend, conversations, loadNewest, place, remove } from './conversations.ts';
import { groupChanged } from './groups.ts';
import { changeHome, home, type ListedChat, loadHome, reloadSoon } from './home.ts';
import { mentionsMe } from './mentions.ts';
import { notifyOfAnnouncement, notifyOfMessage } from './notify.ts';
import { arrived } from './outbox.ts';
import { noteRead } from './read-marks.ts';
import { markRead, openChat } from './reading.ts';
import { type Chat, keyOf } from './route.ts';
import { api, session } from './session.ts';
import { readTexts } from './written.ts';

type Positioned = { readonly position?: string };
type Push = { [Name in PushName]: { event: Name; data: PushData<Name> & Positioned } }[PushName];
type AnyPush = Push | { event: 'reset'; data: { readonly position: string } };

/** Applies a push to what the page shows. Applying one twice changes nothing. @returns its position in the log */
export function applyPush(event: string, data: unknown): Positioned {
  const push: AnyPush = JSON.parse(JSON.stringify({ event, data: readTexts(data) }));
  switch (push.event) {
    case 'message':
      applyMessage(push.data);
      break;
    case 'revoke':
      applyRevoked(push.data);
      break;
    case 'message_delete':
      remove(push.data, push.data.mid);
      applyTakenBack(push.data, '');
      break;
    case 'read':
      if (push.data.uid === session.value?.uid) recount(push.data);
      else noteRead(push.data);
      break;
    case 'friendApply':
      addApplications();
      break;
    case 'announcement':
      if (addAnnouncement(push.data)) notifyOfAnnouncement(push.data);
      break;
    case 'announcement_revoke':
      dropAnnouncement(push.data.id);
      break;
    case 'presence':
      changeHome(() => {
        const contact = home.contacts.get(push.data.uid);
        if (contact) contact.state = push.data.state;
      });
      break;
    case 'settingChange':
      changeHome(() => {
        home.settings = { ...push.data, dirty_words: '' };
      });
      break;
    case 'update':
    case 'updateGroup':
      groupChanged(push.data.gid);
      reloadSoon();
      break;
    case 'addFriend':
    case 'removeFriend':
    case 'profile':
    case 'addGroup':
    case 'removeGroup':
      reloadSoon();
      break;
    case 'reset':
      startAfreshSoon();
      break;
  }
  return push.data;
}

function applyRevoked(push: PushData<'revoke'>): void {
  const content = revokedTexts[push.uid === 0 ? 'withdrawn' : 'revoked'];
  amend(push, push.mid, { content, notice: true, quoteMid: 0 }, content);
  applyTakenBack(push, content);
}

function applyMessage(push: PushData<'message'>): void {
  const from = Number(push.from);
  const mine = from === session.value?.uid;
  const id = Number(push.type === 'friend' && !mine ? push.from : push.to);
  const chat: Chat = { type: push.type, id };
  const notice = push.sub_type === 'notice';
  if (mine && push.uniqueId !== undefined) arrived(push.uniqueId);

  const conversation = conversations.get(keyOf(chat));
  const fresh =
    conversation === undefined ||
    place(conversation, {
      ...{ key: `m${push.mid}`, mid: push.mid, from, name: push.from_name, avatar: push.from_avatar },
      ...{ content: push.content, timestamp: push.timestamp, notice },
      ...{ quoteMid: push.quote_mid ?? 0, quoteContent: push.quote_content ?? '' },
      ...(push.uniqueId === undefined ? {} : { uniqueId: push.uniqueId }),
      ...{ state: 'sent', placed: true },
    });
  const counts = fresh && !mine && !notice;
  changeHome(() => list(chat, push, counts));
  if (!counts) return;
  if (openChat.value && keyOf(openChat.value) === keyOf(chat)) markRead(chat);
  notifyOfMessage(chat, home.chats.get(keyOf(chat))?.name ?? push.from_name, push);
}

/** Shows a message in the list of chats. @param counts whether it is unread */
function list(chat: Chat, push: PushData<'message'>, counts: boolean): void {
  const known = home.chats.get(keyOf(chat));
  // A notice brings no chat back into the list.
  const entry = known ?? (push.sub_type === 'notice' ? undefined : added(chat, push));
  if (!entry || push.mid === entry.countedMid) return;
  // Mids grow within one process of the server; of two processes at the same moment, the later may give the smaller.
  if (push.mid < entry.countedMid) {
    recount(chat);
    return;
  }
  entry.last = {
    ...{ mid: push.mid, from: Number(push.from), name: push.from_name },
    ...{ content: push.content, timestamp: push.timestamp, notice: push.sub_type === 'notice' },
  };
  if (!counts) return;
  entry.unread++;
  if (chat.type === 'group' && mentionsMe(push.content)) entry.mentioned = true;
}

/** Puts a chat into the list: one that was hidden, or a new one. */
function added(chat: Chat, push: PushData<'message'>): ListedChat | undefined {
  const other = chat.type === 'group' || Number(push.to) === chat.id ? 'to' : 'from';
  home.chats.set(keyOf(chat), {
    ...chat,
    name: other === 'to' ? push.to_name : push.from_name,
    avatar: other === 'to' ? push.to_avatar : push.from_avatar,
    ...{ unread: 0, top: false, mentioned: false, last: undefined, countedMid: 0 },
  });
  return home.chats.get(keyOf(chat));
}

function applyTakenBack(chat: Chat & { readonly mid: number }, content: string): void {
  const entry = home.chats.get(keyOf(chat));
  // Which message was the one before, only the server knows.
  if (entry?.last?.mid === chat.mid && content === '') reloadSoon();
  else if (entry?.last?.mid === chat.mid) entry.last.content = content;
  if (entry && entry.unread > 0) recount(chat);
}

/** Asks how many messages are unread: the page cannot know whether a message that it did not load counted. */
function recount({ type, id }: Chat): void {
  api.call('/message/unreadcount', { type, id }).then(
    (count) => {
      const entry = home.chats.get(keyOf({ type, id }));
      if (entry) Object.assign(entry, { unread: count, mentioned: entry.mentioned && count > 0 });
    },
    () => undefined,
  );
}

let afresh: ReturnType<typeof setTimeout> | undefined;

/** Each channel says by itself that its pushes cannot be given; the page loads once for all, this much later. */
const afreshAfterMs = 100;

/** What came since cannot be given by pushes: everything is loaded anew. */
function startAfreshSoon(): void {
  clearTimeout(afresh);
  afresh = setTimeout(startAfresh, afreshAfterMs);
}

function startAfresh(): void {
  const open = openChat.value;
  for (const [key, conversation] of conversations) {
    if (!open || key !== keyOf(open)) {
      const unsent = conversation.messages.filter(({ placed }) => !placed);
      Object.assign(conversation, { messages: unsent, loaded: false, complete: false });
    }
  }
  const failed = () => undefined;
  loadHome().catch(failed);
  loadAnnouncements().catch(failed);
  if (open) loadNewest(open).catch(failed);
}
