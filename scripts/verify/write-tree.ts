import { exportTree, isOfTree } from '../../services/audit/tree/export-tree.ts';
import { latestHead } from '../../services/audit/tree/heads.ts';
import { NothingMatches } from '../cli/command.ts';
import { interruptible } from '../cli/interruption.ts';
import { mustTake, writingTo } from '../cli/output-file.ts';
import { showProgress } from '../cli/progress.ts';
import { knownVerifier, withAudit } from './with-audit.ts';

/**
 * Writes the tree of the last head into a folder, as files of C2SP tlog-tiles.
 * @param verifierKey by whose key the head must be signed; by default by that of the installation, if it is known here
 */
export async function writeTree(folder: string, verifierKey: string | undefined): Promise<void> {
  const output = { option: '--export', path: folder };
  await mustTake(output, { what: 'the tree of a log', isOf: isOfTree });
  await withAudit(async ({ environment, pool, store }) => {
    const verifier = await knownVerifier(verifierKey, environment);
    const origin = verifier?.name ?? environment.auditOrigin;
    const head = await latestHead(pool, origin, verifier);
    if (!head) {
      throw new NothingMatches(
        `no head of ${origin} was signed yet: one is, within 10 s, while bubble-im runs with this AUDIT_ORIGIN`,
      );
    }
    const signal = interruptible();
    const progress = showProgress({ doing: 'writing', total: head.size });
    const files = await writingTo(output, () =>
      exportTree({ store, head, folder }, progress.advance, signal),
    ).finally(() => progress.end());
    console.log(`${files} files of ${head.origin} with ${head.size} events were written to ${folder}`);
  });
}
