import { ConversationId, conversationParties } from './ids.ts';

/*
 * What may be asked of the events of the log, the same for `npm run replay` and `GET /audit/events`. Each says of a text what is
 * wrong with it, and what would be right; undefined if nothing is.
 */

/** A stream's name, or with a `*` at its end the beginning of names. */
const streamPattern = /^(?!\$)(?=.)[^*]{0,200}\*?$/u;

export function faultOfStream(text: string): string | undefined {
  if (streamPattern.test(text)) return undefined;
  return `"${text}" is no name of a stream, nor with a * at its end the beginning of names: group-50, group-*`;
}

/** An id as it is written in names: one that is written otherwise is in no name. */
const id = /^[1-9]\d{0,15}$/;

export function faultOfConversation(text: string): string | undefined {
  const { data } = ConversationId.safeParse(text);
  if (
    data !== undefined &&
    text
      .slice(1)
      .split('-')
      .every((part) => id.test(part))
  ) {
    const parties = conversationParties(data);
    if (parties.type === 'group' || parties.uids[0] < parties.uids[1]) return undefined;
  }
  return `"${text}" is no conversation: those of two people are named as f3-9, the lower uid first, those of groups as g123456789`;
}
