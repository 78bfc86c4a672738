import { exportTree } from '../../services/audit/tree/export-tree.ts';
import { latestHead, openHead } from '../../services/audit/tree/heads.ts';
import { NothingMatches } from '../cli/command.ts';
import { interruptible } from '../cli/interruption.ts';
import { mustBeNoFile, writingTo } from '../cli/output-file.ts';
import { showProgress } from '../cli/progress.ts';
import { knownVerifier, withAudit } from './with-audit.ts';

/**
 * Writes the tree of the last head into a folder, as files of C2SP tlog-tiles.
 * @param verifierKey by whose key the head must be signed; by default, if it is of this installation's origin, by its key
 */
export async function writeTree(folder: string, verifierKey: string | undefined): Promise<void> {
  const output = { option: '--export', path: folder };
  await mustBeNoFile(output);
  await withAudit(async ({ environment, pool, store }) => {
    const verifier = await knownVerifier(verifierKey, environment);
    const head = await latestHead(pool, verifier?.name ?? environment.auditOrigin);
    if (!head) throw new NothingMatches('no head was signed yet: one is, within 10 s, while bubble-im runs');
    if (verifier && (verifierKey !== undefined || verifier.name === head.origin))
      openHead(head.note, verifier);
    const signal = interruptible();
    const progress = showProgress({ doing: 'writing', total: head.size });
    const files = await writingTo(output, () =>
      exportTree({ store, head, folder }, progress.advance, signal),
    ).finally(() => progress.end());
    console.log(`${files} files of ${head.origin} with ${head.size} events were written to ${folder}`);
  });
}
