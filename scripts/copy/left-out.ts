import type { FirstEvents } from '../../services/audit/copy/first-events.ts';
import { falseRepeatInWords } from '../../services/audit/tree/verified-words.ts';
import { reasonOf } from '../../services/error-reason.ts';
import { escapeControls } from '../cli/output.ts';

/** How many events are named. */
const maxNamed = 100;

/**
 * Says on stderr which events a copy lacks since they have the ids of others. They are no reason not to copy: the tree over the
 * log and its signed heads hold the first event of an id alone.
 */
export async function sayLeftOut(command: string, firsts: FirstEvents): Promise<void> {
  const { leftOut } = firsts;
  if (leftOut === 0) return;
  const say = (text: string) => process.stderr.write(`${command}: ${escapeControls(text)}\n`);
  const events = leftOut === 1 ? 'one event is' : `${leftOut} events are`;
  say(
    `${events} not copied, since their stream has an earlier one of the same id, which alone is in the signed tree`,
  );
  let named = 0;
  try {
    for await (const found of firsts.falseRepeats()) {
      if (named++ === maxNamed) break;
      say(`this is not copied: ${falseRepeatInWords(found)}`);
    }
  } catch (error) {
    // What ended the copy is said after this.
    say(`which of them are not what the earlier one is cannot be read: ${reasonOf(error)}`);
  }
}
