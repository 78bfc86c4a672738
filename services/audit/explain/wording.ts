import { type ConversationId, conversationParties } from '../../../contracts/ids.ts';

/** Where something was said, as a clause. */
export function conversationName(conversation: ConversationId): string {
  const parties = conversationParties(conversation);
  return parties.type === 'group'
    ? `in group ${parties.gid}`
    : `between persons ${parties.uids[0]} and ${parties.uids[1]}`;
}
