import { type Ground, type MeasureRow, median, perSecond, type Row } from './audit-ground.ts';
import { insertBareRows } from './bare-rows.ts';
import { measureRebuild } from './rebuild-cost.ts';
import { sendBesideRebuild } from './sending.ts';

/** How fast the read models are made again, and what that costs others. */
export const rebuildRows: readonly MeasureRow[] = [filling, sendingBeside];

/** Filling empty read models, beside a bare insert of the same rows in turns, three times: the second of the ratios. */
async function filling({ log, databaseUrl, postgres, events }: Ground): Promise<Row> {
  const ratios: number[] = [];
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const bare = await insertBareRows(databaseUrl, postgres);
    const { filling: cost, differing } = await measureRebuild(log, databaseUrl, postgres);
    if (differing > 0) throw new Error(`${differing} tables differ`);
    ratios.push(bare.seconds / cost.seconds);
    best = Math.min(best, cost.seconds);
  }
  return {
    what: 'filling empty read models',
    figure:
      `${perSecond(events, 1_000 * best)}, ` +
      `${median(ratios).toFixed(2)} of a bare insert of the same rows (wanted: 0.6)`,
  };
}

/** In how many conversations messages are sent at once. */
const senders = 50;
/** For how long, alone and beside a rebuild. */
const seconds = 6;

async function sendingBeside(ground: Ground): Promise<Row> {
  const { alone, whileRebuilding, longer } = await sendBesideRebuild(ground, senders, seconds);
  return {
    what: 'sending while the read models are made again',
    figure:
      `${Math.round(whileRebuilding)} of ${Math.round(alone)} messages/s alone, ` +
      `${(whileRebuilding / alone).toFixed(2)} (wanted: 0.7)${longer ? '' : '; the rebuild ended before'}`,
  };
}
