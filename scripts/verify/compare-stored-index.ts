import type { Client } from 'pg';
import { compareIndex, type IndexDifference } from '../../services/audit/index/compare-index.ts';
import { cancelledBy } from '../../services/postgres/cancelling.ts';
import { openClient, type Purpose } from '../../services/postgres/connect.ts';
import { NothingMatches } from '../cli/command.ts';
import { interruptible } from '../cli/interruption.ts';
import { escapeControls } from '../cli/output.ts';
import { showProgress } from '../cli/progress.ts';
import { sayHowFarIndexed } from './how-far-indexed.ts';
import { notAsItWas } from './not-as-it-was.ts';
import { type Audit, withAudit } from './with-audit.ts';

/** How many differences are named. */
const maxDifferences = 100;

/** The people of all events are sorted once, and a page of a slow log may be waited for. */
const purpose: Purpose = {
  name: 'bubble-im audit comparison',
  statementTimeoutMs: 3_600_000,
  settings: { idle_in_transaction_session_timeout: '0', work_mem: '64MB', jit: 'off' },
};

/** Compares the index with the log, prints each difference, and sets the exit code 1 if there is one. */
export function compareStoredIndex(): Promise<void> {
  return withAudit(async (audit) => {
    const signal = interruptible();
    const client = await openClient(audit.url, purpose);
    try {
      await cancelledBy({ client, database: audit.url, signal }, () => compare(audit, client, signal));
    } finally {
      await client.end();
    }
  });
}

async function compare(
  { log, pool, store, before }: Audit,
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  await sayHowFarIndexed({ pool, before });
  const progress = showProgress({ doing: 'comparing', total: await store.size() });
  let differences = 0;
  const lines: string[] = [];
  const onDifference = (difference: IndexDifference) => {
    differences++;
    if (lines.length < maxDifferences) lines.push(differenceLine(difference));
  };
  const options = { log, client, onDifference, onRead: progress.advance, signal };
  const events = await compareIndex(options).finally(() => progress.end());
  if (events === undefined) throw new NothingMatches('there is no index of this log');
  for (const line of lines) console.log(escapeControls(line));
  if (differences > lines.length) console.log(`and ${differences - lines.length} more differences`);
  if (differences === 0) {
    console.log(`The index is what the log gives: its ${events} events do not differ`);
    return;
  }
  console.log(
    `The index is not what the log gives: ${differences} difference${differences === 1 ? '' : 's'} in ${events} events. ` +
      'Make it again: npm run rebuild -- --audit',
  );
  notAsItWas();
}

/** As `events number=3 (group-50@2): actor is "7", should be "9"`. */
function differenceLine(difference: IndexDifference): string {
  if (difference.table === 'functions') return functionLine(difference);
  if (difference.table === 'types') {
    const { category, type, fault } = difference;
    return `types category=${category} type=${type}: ${fault === 'missing' ? 'is missing' : 'no event is of it'}`;
  }
  if (difference.table === 'repeats') return repeatLine(difference);
  const { number, event } = difference;
  const of = event === undefined ? '' : ` (${event})`;
  if (difference.table === 'people') {
    const { uid, fault } = difference;
    const wrong = fault === 'missing' ? 'is missing' : 'the event is not about this person';
    return `people number=${number} uid=${uid}${of}: ${event === undefined ? 'there is no such event' : wrong}`;
  }
  const { column, is, expected } = difference;
  const row = `events number=${number}${of}`;
  if (column === undefined) return `${row}: ${is === undefined ? 'is missing' : 'there is no such event'}`;
  return `${row}: ${column} is ${JSON.stringify(is)}, should be ${JSON.stringify(expected)}`;
}

function repeatLine({ position, event, fault }: IndexDifference & { readonly table: 'repeats' }): string {
  const wrong = {
    ...{ missing: 'is missing', changed: 'is not as the log gives it' },
    'too many': 'the event has not the id of another',
  };
  return `repeats position=${position} (${event}): ${wrong[fault]}`;
}

function functionLine({ name, fault }: IndexDifference & { readonly table: 'functions' }): string {
  const wrong = { changed: 'is not as it was made', missing: 'is missing', 'too many': 'nothing made it' };
  return `function ${name}: ${wrong[fault]}`;
}
