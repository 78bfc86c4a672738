import type { MisplacedEvent, Misplacement } from '../../log/log.ts';
import { auditedType } from './audited-type.ts';

const misplacements: Readonly<Record<Misplacement, string>> = {
  'beyond reads': 'who reads its stream gets it, as commands do, and who reads the whole log does not',
  'position repeated': 'an event before it has the same position',
  'positions missing':
    'some positions before it hold no event, while appends leave none out: events were removed there, or it was put behind them',
  'revision out of order': 'in the order of the log it is not the next event of its stream',
  'id repeated': 'an event before it in its stream has the same id',
  'value missing': 'it lacks what every event has',
  'type of the store':
    'its type is one that EventStoreDB keeps for itself, and commands and read models stop before it',
  'no type':
    'its type is longer than any that an append takes, or holds NUL (index and tree name it by its SHA-256), and commands and read models stop before it',
  'of another stream':
    'by its data it belongs to another stream: who reads that one, as commands do, decides without it, and the read models show it',
};

/** What is wrong with where an event lies. */
export function misplacedInWords({
  stream = 'no stream',
  revision = 'no revision',
  position = 'no position',
  type = 'of no type',
  misplacement,
}: MisplacedEvent): string {
  return `${stream}@${revision} (${auditedType(type)}) at position ${position} was not appended so: ${misplacements[misplacement]}`;
}
