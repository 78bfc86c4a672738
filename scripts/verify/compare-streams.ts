import { type DifferentStream, differentStreams } from '../../services/audit/tree/compare-streams.ts';
import { nameOf } from '../../services/audit/tree/verified-words.ts';
import { NothingMatches } from '../cli/command.ts';
import { interruptible } from '../cli/interruption.ts';
import { escapeControls } from '../cli/output.ts';
import { showProgress } from '../cli/progress.ts';
import { sayHowFarIndexed } from './how-far-indexed.ts';
import { notAsItWas } from './not-as-it-was.ts';
import { withAudit } from './with-audit.ts';

/** How many streams are named. */
const maxNamed = 100;

/** Compares what reads of streams give with the index, prints each stream that differs, and sets the exit code 1 if one does. */
export function compareStreams(): Promise<void> {
  return withAudit(async ({ log, pool, store, before }) => {
    const total = await store.size();
    if (total === 0) throw new NothingMatches('there is no index of this log');
    await sayHowFarIndexed({ pool, before });
    const signal = interruptible();
    const progress = showProgress({ doing: 'comparing', total });
    const named: DifferentStream[] = [];
    try {
      for await (const different of differentStreams({
        ...{ log, database: pool, onRead: progress.advance, signal },
      })) {
        named.push(different);
        if (named.length >= maxNamed) break;
      }
    } finally {
      progress.end();
    }
    for (const different of named) console.log(escapeControls(differenceLine(different)));
    if (named.length === 0)
      console.log(`The streams are what the index says: their ${total} events do not differ`);
    else notAsItWas();
  });
}

/** As `STREAM CHANGED: a read of group-50 gives …`. */
function differenceLine({ stream, expected, found, refusal }: DifferentStream): string {
  const shouldBe = expected ? nameOf(expected) : 'no further event';
  if (refusal !== undefined) return `STREAM CHANGED: ${stream} cannot be read up to ${shouldBe}: ${refusal}`;
  const is = found ? `${nameOf(found)}, ${found.id}` : 'no further event';
  return `STREAM CHANGED: a read of ${stream} gives ${is}, and the whole log ${shouldBe}${expected ? `, ${expected.id}` : ''}`;
}
