import { exportTree } from '../../services/audit/tree/export-tree.ts';
import { latestHead } from '../../services/audit/tree/heads.ts';
import { NothingMatches } from '../cli/command.ts';
import { interruptible } from '../cli/interruption.ts';
import { showProgress } from '../cli/progress.ts';
import { withAudit } from './with-audit.ts';

/** Writes the tree of the last head into a folder, as files of C2SP tlog-tiles. */
export function writeTree(folder: string): Promise<void> {
  return withAudit(async ({ pool, store }) => {
    const head = await latestHead(pool);
    if (!head) throw new NothingMatches('no head was signed yet: one is, within 10 s, while bubble-im runs');
    const signal = interruptible();
    const progress = showProgress({ doing: 'writing', total: head.size });
    const files = await exportTree({ store, head, folder }, progress.advance, signal).finally(() =>
      progress.end(),
    );
    console.log(`${files} files of ${head.origin} with ${head.size} events were written to ${folder}`);
  });
}
