import type { UnreadEvents } from '../../services/audit/tree/unread-events.ts';
import { unreadInWords } from '../../services/audit/tree/verified-words.ts';
import { escapeControls } from './output.ts';

/**
 * Says on stderr of which events a copy lacks a part, as reading their texts leaves it out. They are no reason not to copy: the
 * tree over the log and its signed heads are of what is read.
 */
export function sayUnread(command: string, { named, more }: UnreadEvents): void {
  const say = (text: string) => process.stderr.write(`${command}: ${escapeControls(text)}\n`);
  for (const event of named) say(`this is copied as programs read it: ${unreadInWords(event)}`);
  if (more > 0) say(`so it is with ${more} more: npm run verify finds such events`);
}
