import type { ChangedSnapshot } from '../changed-snapshots.ts';
import type { FalseRepeat } from '../index/repeats.ts';
import { utcTime } from '../local-time.ts';
import { auditedType } from './audited-type.ts';
import type { Difference } from './difference.ts';
import type { HiddenBeginnings, LackingBeginning } from './hidden-events.ts';
import { misplacedInWords } from './misplaced-words.ts';
import type { TreeEntry } from './tree-entry.ts';
import type { UnreadEvent } from './unread-text.ts';
import type { Verified } from './verified.ts';

/** What came of verifying a log, in lines. */
export function verifiedInWords(verified: Verified): string {
  return verifiedInLines(verified).join('\n');
}

/** The same, each line by itself: one for each event or snapshot that was found by itself, then one for the log. */
export function verifiedInLines(verified: Verified): string[] {
  const { difference, strangeness, misplaced, unread, falseRepeats, changedSnapshots } = verified;
  const lines = [
    ...(strangeness === undefined ? [] : [`NOT NAMED: ${strangeness}`]),
    ...misplaced.map((event) => `MISPLACED: ${misplacedInWords(event)}`),
    ...unread.map((event) => `CHANGED: ${unreadInWords(event)}`),
    ...falseRepeats.map((found) => `ID REPEATED: ${falseRepeatInWords(found)}`),
    ...changedSnapshots.map(snapshotInWords),
  ];
  if (difference) return [...lines, describe(difference)];
  const otherwise = lines.length === 0 ? 'The' : 'Otherwise the';
  return [...lines, `${otherwise} ${summary(verified)}`];
}

/** What is wrong with an event whose texts hold more than their parsed values. */
export function unreadInWords({ event, texts }: UnreadEvent): string {
  return (
    `${nameOf(event)} was not appended so: its ${texts.join(' and ')} hold what reading them leaves out, ` +
    'such as the first of two values of one key'
  );
}

/** What is wrong with an event that has the id of another of its stream. */
export function falseRepeatInWords({ event, first }: FalseRepeat): string {
  return (
    `${nameOf(event)} has the id of ${event.stream}@${first}, and is not the same: to pass it over, ` +
    `npm run skip -- ${event.position} --force --why "…"`
  );
}

function snapshotInWords({ stream, revision }: ChangedSnapshot): string {
  return (
    `SNAPSHOT CHANGED: the state of ${stream} up to ${stream}@${revision} that is kept for the commands is not what its events give: ` +
    'delete its row from folds.snapshots, and start all processes again'
  );
}

function summary(verified: Verified): string {
  const { size, audited, heads, signed, signaturesVerified, root, otherOrigins } = verified;
  const toCome = size - audited;
  const rest = toCome > 0 ? `, ${toCome} of which ${toCome === 1 ? 'is' : 'are'} not audited yet` : '';
  const fitting = heads === 1 ? '1 signed head fits, that' : `${heads} signed heads fit, the last one`;
  const covered = heads === 0 ? 'No head was signed yet.' : `${fitting} of ${signed} events.`;
  const unverified =
    heads === 0 || signaturesVerified ? '' : ' Their signatures were not verified, as no key is known here.';
  return `log is as it was: ${size} events${rest}. ${covered}${unverified}${othersInWords(otherOrigins)}${misdatedInWords(verified)} Root: ${Buffer.from(root).toString('base64')}`;
}

function othersInWords(others: Verified['otherOrigins']): string {
  if (others.length === 0) return '';
  const names = (some: Verified['otherOrigins']) => some.map(({ origin }) => origin).join(', ');
  const unsigned = others.filter(({ signed }) => signed === false);
  const foreign = ` The last head of ${names(unsigned)} is not signed by the key of this log: nothing rests on it.`;
  return (
    ` It was not compared with the heads of ${names(others)}: AUDIT_ORIGIN (or APP_ID) names another log.` +
    (unsigned.length === 0 ? '' : foreign)
  );
}

function misdatedInWords({ misdated: [first, ...more] }: Verified): string {
  if (!first) return '';
  const than = first.than === 'now' ? 'it is now' : `the head of the first ${first.than} events says`;
  const rest = more.length === 0 ? '' : `; so it is with ${more.length} other heads`;
  return (
    ` The stored head of the first ${first.size} events says that it was signed later than ${than}${rest}: the time in the row was ` +
    'changed, or the clock of the database was wrong then; nothing rests on it.'
  );
}

/** What is different, in a sentence. */
export function describe(difference: Difference): string {
  switch (difference.kind) {
    case 'changed':
      return `CHANGED: ${nameOf(difference.event)} is event ${difference.number}, but not as it was: its ${difference.what} ${verbFor(difference.what)}`;
    case 'removed': {
      const instead = difference.instead ? `; ${nameOf(difference.instead)} is in its place` : '';
      const hidden = difference.hidden ? `; beside it ${hiddenInWords(difference.hidden)}` : '';
      const lacking = difference.lacking ? `; ${lackingInWords(difference.lacking)}` : '';
      return `REMOVED: ${nameOf(difference.event)} was event ${difference.number}, and is not in the log any more${instead}${lacking}${hidden}`;
    }
    case 'inserted':
      return `INSERTED: ${nameOf(difference.event)} is event ${difference.number}, and was not there when its neighbours were audited`;
    case 'moved':
      return `MOVED: ${nameOf(difference.event)} is event ${difference.number}, and was event ${difference.from}`;
    case 'hidden':
      return (
        'HIDDEN: the log has all events, but its store does not give them to who reads their streams, since these were ' +
        `deleted or truncated there: ${hiddenInWords(difference)}`
      );
    case 'index changed':
      return (
        `INDEX CHANGED: the log is as it was, but row ${difference.number} of its index is not ${nameOf(difference.event)}; ` +
        'make the index again: npm run rebuild -- --audit'
      );
    case 'tree changed':
      return (
        `TREE CHANGED: the log is as it was, but the tree that is stored of it is not: ${difference.what}; ` +
        'make it again: npm run rebuild -- --audit'
      );
    case 'head changed':
      return (
        `HEAD CHANGED: the row of the stored head of the first ${difference.size} events of ${difference.origin} does not hold such a ` +
        'head: compare with a head that was kept elsewhere (--checkpoint), and delete the row from audit.heads'
      );
    case 'head not signed':
      return (
        `HEAD NOT SIGNED: the stored head of the first ${difference.size} events is not signed by the key of ` +
        `${difference.origin} that is known here: compare with a head that was kept elsewhere (--checkpoint)`
      );
    case 'not the same':
      return (
        `NOT THE SAME: the events from ${difference.from} to ${difference.to - 1} are not those that were audited or signed, ` +
        'or are missing, and nothing that is kept says which of them'
      );
  }
}

/** What of an event is different may be several things, and data are many. */
function verbFor(what: string): 'differ' | 'differs' {
  return what === 'time' || what === 'revision' || what === 'type' ? 'differs' : 'differ';
}

function hiddenInWords({ streams, more }: HiddenBeginnings): string {
  const rest = more === 0 ? '' : `; and so it is with ${more} other streams`;
  return `${streams.map(lackingInWords).join('; ')}${rest}`;
}

/** What a stream lacks of its beginning. */
export function lackingInWords({ stream, number, events, last }: LackingBeginning): string {
  const which = events === 1 ? 'its first event' : `its first ${events} events`;
  return `${stream} lacks ${which}, up to ${stream}@${last}, from event ${number} of the log on`;
}

/** Names an event for people, with its type and time. */
export function nameOf({ stream, revision, type, recorded }: Omit<TreeEntry, 'digest' | 'id'>): string {
  return `${stream}@${revision} (${auditedType(type)}, recorded ${utcTime(recorded)})`;
}
