import type { DomainEvent } from '../contracts/events/index.ts';
import { accessProjections } from './access.ts';
import { allowanceProjections } from './allowances.ts';
import { announcementProjections } from './announcements.ts';
import { conversationProjections } from './conversations.ts';
import { friendshipProjections } from './friendships.ts';
import { groupProjections } from './groups.ts';
import { inboxProjections } from './inbox.ts';
import { invitationProjections } from './invitations.ts';
import { memberProjections } from './members.ts';
import type { Projection, ProjectionsOf } from './projection.ts';
import { replyProjections } from './replies.ts';
import { settingProjections } from './settings.ts';
import { skipProjections } from './skips.ts';
import { userProjections } from './users.ts';

/**
 * The projection of each type of event, by the type's name.
 * @param repeats whether the log may hold an event of a conversation twice
 */
export function projectionsByType(repeats: boolean): ReadonlyMap<string, Projection<DomainEvent>> {
  const all: ProjectionsOf<DomainEvent> = {
    ...userProjections,
    ...friendshipProjections,
    ...groupProjections,
    ...memberProjections,
    ...invitationProjections,
    ...conversationProjections(repeats),
    ...inboxProjections,
    ...replyProjections,
    ...settingProjections,
    ...announcementProjections,
    ...allowanceProjections,
    ...accessProjections,
    ...skipProjections,
  };
  return new Map<string, Projection<DomainEvent>>(Object.entries(all));
}
