import { readModels } from '../services/read-models/read-models.ts';
import { type RowOf, table } from './store/table.ts';

/* The read models as the projections use them: with the lists of rows that they ask for. */

export const users = table(readModels.users);
export type UserRow = RowOf<typeof users>;

/** The deletions of accounts that are under way. */
export const deletions = table(readModels.deletions);

export const friendships = table(readModels.friendships);
/** All friends of a person. */
export const friendsOf = friendships.listBy(['uid']);

export const applications = table(readModels.applications);
/** What a person received under an id: one application, unless the id was given twice. */
export const applicationsUnder = applications.listBy(['recipient', 'application_id']);
/** All applications from one person to another. */
export const applicationsOf = applications.listBy(['applicant', 'recipient']);

export const groups = table(readModels.groups);
export type GroupRow = RowOf<typeof groups>;

export const groupMembers = table(readModels.groupMembers);
export type GroupMemberRow = RowOf<typeof groupMembers>;
/** Everyone in a group. */
export const membersOf = groupMembers.listBy(['gid']);
/** All groups that a person is in. */
export const groupsOf = groupMembers.listBy(['uid']);

/** Until when people may not speak in a group, in seconds since 1970: also those who have left it. */
export const groupMutes = table(readModels.groupMutes);

export const conversations = table(readModels.conversations);
export type ConversationRow = RowOf<typeof conversations>;

export const messages = table(readModels.messages, { maxKept: 1_000, grows: true });
export type MessageRow = RowOf<typeof messages>;
/** The one message of a mid. */
export const messageOf = messages.listBy(['mid']);
/** The one message of an event id, among those that carry a uniqueId. */
export const messageOfEvent = messages.listBy(['event_id'], 'unique_id is not null');

export const messageDeletions = table(readModels.messageDeletions, { maxKept: 1_000 });

export const inbox = table(readModels.inbox);
export type InboxRow = RowOf<typeof inbox>;

export const replies = table(readModels.replies);
/** All replies of a member. */
export const repliesOf = replies.listBy(['uid']);

export const announcements = table(readModels.announcements);

/** Up to which announcement each person has seen them. */
export const announcementsSeen = table(readModels.announcementsSeen);

export const settings = table(readModels.settings);
/** Every setting that was ever set. */
export const allSettings = settings.listBy([]);
