import { allowanceEvents } from '../../contracts/events/allowance.ts';
import { announcementEvents } from '../../contracts/events/announcement.ts';
import { conversationEvents } from '../../contracts/events/conversation.ts';
import { friendshipEvents } from '../../contracts/events/friendship.ts';
import { groupEvents } from '../../contracts/events/group.ts';
import { inboxEvents } from '../../contracts/events/inbox.ts';
import { replyEvents } from '../../contracts/events/reply.ts';
import { settingEvents } from '../../contracts/events/setting.ts';
import { skipEvents } from '../../contracts/events/skip.ts';
import { userEvents } from '../../contracts/events/user.ts';
import {
  ConversationId,
  type ConversationParties,
  conversationParties,
  friendConversation,
  Gid,
  groupConversation,
  Uid,
} from '../../contracts/ids.ts';
import type { Json, NewEvent, StreamName } from '../log/log.ts';
import { skipStream } from '../log/skips.ts';
import { allowanceStream } from './allowance.ts';
import { announcementStream } from './announcement.ts';
import { conversationStream } from './conversation.ts';
import { friendshipStream } from './friendship.ts';
import { groupStream } from './group.ts';
import { inboxStream } from './inbox.ts';
import { replyStream } from './reply.ts';
import { settingStream } from './setting.ts';
import { userStream } from './user.ts';

/** As commands name it: the lower uid first, no zeros in front. */
function conversationOf(parties: ConversationParties): ConversationId {
  return parties.type === 'group' ? groupConversation(parties.gid) : friendConversation(...parties.uids);
}

/** The stream of an event of one kind by its data; undefined if they do not name one. */
type Rule = (data: Json) => StreamName | undefined;

const ofPerson =
  (stream: (uid: Uid) => StreamName): Rule =>
  ({ uid }) => {
    const person = Uid.safeParse(uid).data;
    return person && stream(person);
  };

const rules: ReadonlyMap<string, Rule> = new Map(
  [
    forEach(
      userEvents,
      ofPerson((uid) => userStream(uid).name),
    ),
    forEach(inboxEvents, ofPerson(inboxStream)),
    forEach(
      replyEvents,
      ofPerson((uid) => replyStream(uid).name),
    ),
    forEach(
      allowanceEvents,
      ofPerson((uid) => allowanceStream(uid).name),
    ),
    forEach(friendshipEvents, ({ from, to, by = from, friend = to }) => {
      const [one, other] = [Uid.safeParse(by).data, Uid.safeParse(friend).data];
      return one && other && friendshipStream(one, other).name;
    }),
    forEach(groupEvents, ({ gid }) => {
      const group = Gid.safeParse(gid).data;
      return group && groupStream(group).name;
    }),
    forEach(conversationEvents, ({ conversation }) => {
      const named = ConversationId.safeParse(conversation).data;
      return named && conversationStream(conversationOf(conversationParties(named)));
    }),
    forEach(settingEvents, () => settingStream.name),
    forEach(announcementEvents, () => announcementStream.name),
    forEach(skipEvents, () => skipStream),
  ].flat(),
);

function forEach(definitions: readonly { readonly type: string }[], rule: Rule): [string, Rule][] {
  return definitions.map(({ type }) => [type, rule]);
}

/**
 * The stream to which commands append an event of any version, by its data.
 * @returns undefined for an event of `access`, which nobody decides by, or of an unknown type, or if its data name none
 */
export function streamOfEvent({ type, data }: Pick<NewEvent, 'type' | 'data'>): StreamName | undefined {
  return rules.get(type)?.(data);
}
