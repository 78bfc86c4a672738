import type { ConversationId, Mid } from '../../../contracts/ids.ts';
import type { EventId } from '../../log/log.ts';

/** Where a message came from. */
export interface MessageOrigin {
  readonly mid: Mid;
  readonly conversation: ConversationId;
  /** Of the event that sent it, or left it as a notice or a greeting. */
  readonly eventId: EventId;
}

/** Finds where a message came from; undefined if there is none of that mid. */
export type FindOrigin = (mid: Mid) => Promise<MessageOrigin | undefined>;
