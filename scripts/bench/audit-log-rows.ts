import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { categories } from '../../contracts/events/index.ts';
import { startAuditor } from '../../services/audit/auditor.ts';
import { verifyLog } from '../../services/audit/tree/verify-log.ts';
import {
  type Ground,
  type MeasureRow,
  median,
  perSecond,
  type Row,
  runCommand,
  timedRow,
} from './audit-ground.ts';

/** How fast the log is indexed, shown and verified. */
export const logRows: readonly MeasureRow[] = [
  indexing,
  (ground) => replaying(ground, ['--format', 'ndjson']),
  (ground) => replaying(ground, ['--format', 'table']),
  (ground) => firstPage(ground, ['--about', '3']),
  (ground) => firstPage(ground, ['--type', 'MemberMuted,GroupMuted', '--reverse']),
  (ground) => firstPage(ground, ['--since', '1h', '--by', '7', '--reverse']),
  verifying,
];

async function indexing({ log, databaseUrl, events }: Ground): Promise<Row> {
  const began = performance.now();
  const auditor = await startAuditor({ log, database: databaseUrl, logger: pino({ level: 'silent' }) });
  const end = await log.end(categories);
  while (auditor.status().checkpoint < end) await delay(20);
  const took = performance.now() - began;
  await auditor.stop();
  return { what: 'the auditor indexes', figure: perSecond(events, took) };
}

/** Replay of everything, without the start of its process. */
function replaying(ground: Ground, parameters: readonly string[]): Promise<Row> {
  return besideBareRead(ground, `replay ${parameters.join(' ')}`, async () => {
    const started = await runCommand(ground, 'replay', ['--limit', '1']);
    return (await runCommand(ground, 'replay', parameters)) - started;
  });
}

/** Making the Merkle tree of the log anew, and comparing it with the stored one. */
function verifying(ground: Ground): Promise<Row> {
  const { log, pool: database } = ground;
  return besideBareRead(ground, 'verify', async () => {
    const began = performance.now();
    const { difference } = await verifyLog({ log, database, origin: 'bench' });
    if (difference) throw new Error('the log differs from its tree');
    return performance.now() - began;
  });
}

/**
 * What reads all of the log, beside a bare read in turns, three times: the second of the three ratios of the bare read's
 * time to this one's. `run` gives how long it took, in milliseconds.
 */
async function besideBareRead(ground: Ground, what: string, run: () => Promise<number>): Promise<Row> {
  const ratios: number[] = [];
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const took = await run();
    ratios.push((await readBare(ground)) / took);
    best = Math.min(best, took);
  }
  const ratio = median(ratios).toFixed(2);
  return {
    what,
    figure: `${perSecond(ground.events, best)}, ${ratio} of a bare read (wanted: 0.5)`,
  };
}

/** How long a bare read of the log takes, in milliseconds. */
async function readBare({ log }: Ground): Promise<number> {
  const began = performance.now();
  for await (const record of log.readAll({ prefixes: categories })) void record;
  return performance.now() - began;
}

/** The time until a command that shows 100 events has ended; with the start of the process, which is shown apart. */
function firstPage(ground: Ground, parameters: readonly string[]): Promise<Row> {
  return timedRow(ground, 'replay', [...parameters, '--limit', '100'], 1_000);
}
