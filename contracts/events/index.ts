import { accessEvents } from './access.ts';
import { allowanceEvents } from './allowance.ts';
import { announcementEvents } from './announcement.ts';
import { conversationEvents } from './conversation.ts';
import type { EventDefinition, EventMetadata, EventOf } from './event.ts';
import { friendshipEvents } from './friendship.ts';
import { groupEvents } from './group.ts';
import { inboxEvents } from './inbox.ts';
import { replyEvents } from './reply.ts';
import { settingEvents } from './setting.ts';
import { skipEvents } from './skip.ts';
import { userEvents } from './user.ts';

/** Every kind of event there is. */
export const eventDefinitions = [
  ...userEvents,
  ...friendshipEvents,
  ...groupEvents,
  ...conversationEvents,
  ...inboxEvents,
  ...replyEvents,
  ...settingEvents,
  ...announcementEvents,
  ...allowanceEvents,
  ...skipEvents,
  ...accessEvents,
] as const;

/** Any event: `type` tells which, `data` is its. */
export type DomainEvent = EventOf<(typeof eventDefinitions)[number]>;

export type EventType = DomainEvent['type'];

/** The data of each type. */
export type EventData = { readonly [Event in DomainEvent as Event['type']]: Event['data'] };

/**
 * The event of one type. A function that takes `EventNamed<Type>` may give the event's data to the entry of the event's
 * type in a table `{ [Type in EventType]: (data: EventData[Type]) => … }`.
 */
export type EventNamed<Type extends EventType> = {
  [Named in Type]: { readonly type: Named; readonly data: EventData[Named] };
}[Type];

/** The categories of streams that the read models are made of: the part before the first `-` of a stream's name. */
export const readModelCategories = [
  'user-',
  'friendship-',
  'group-',
  'conversation-',
  'inbox-',
  'reply-',
  'setting',
  'announcement',
  'allowance-',
  'skip',
] as const;

/** All categories: those, and `access`, which only those who audit read. */
export const categories = [...readModelCategories, 'access'] as const;

/** How people name them: `user`, `group`. */
export const categoryNames: readonly string[] = categories.map((prefix) => prefix.replace(/-$/, ''));

const byType: ReadonlyMap<string, EventDefinition> = new Map(
  eventDefinitions.map((definition) => [definition.type, definition]),
);

/** The definition of an event type; undefined for a name that nobody defined. */
export function definitionOf(type: string): EventDefinition | undefined {
  return byType.get(type);
}

export type { EventMetadata };
