import { misplacedInWords } from '../../services/audit/tree/misplaced-words.ts';
import type { EventLog } from '../../services/log/log.ts';
import { escapeControls } from './output.ts';

/**
 * Says on stderr which events a copy will lack, as no read of the whole log gives them. They are no reason not to copy: they
 * were written past the program. @throws LogFailure
 */
export async function warnOfMisplacedEvents(command: string, log: EventLog): Promise<void> {
  for await (const event of log.misplacedEvents())
    process.stderr.write(`${command}: this is not copied: ${escapeControls(misplacedInWords(event))}\n`);
}
