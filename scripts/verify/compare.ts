import { readFile } from 'node:fs/promises';
import { type KeptHeads, keptHeadsIn, type UnreadLines } from '../../services/audit/tree/kept-heads.ts';
import { isAsItWas } from '../../services/audit/tree/verified.ts';
import { verifiedInLines } from '../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../services/audit/tree/verify-log.ts';
import { whileReading } from '../../services/file-failure.ts';
import { NothingMatches } from '../cli/command.ts';
import { interruptible } from '../cli/interruption.ts';
import { escapeControls } from '../cli/output.ts';
import { showProgress } from '../cli/progress.ts';
import { notAsItWas } from './not-as-it-was.ts';
import { knownVerifier, verifierFrom, withAudit } from './with-audit.ts';

/**
 * Compares the log with its tree and its heads, prints what came of it, and sets the exit code 1 if they differ, or if the
 * file of kept heads holds something else.
 */
export function compare(file: string | undefined, verifierKey: string | undefined): Promise<void> {
  return withAudit(async ({ environment, log, pool, store }) => {
    const signal = interruptible();
    const read =
      file === undefined ? undefined : await keptHeads(file, () => verifierFrom(verifierKey, environment));
    const { heads: kept, unread } = read ?? { heads: [], unread: [] };
    const verifier = await knownVerifier(verifierKey, environment);
    const progress = showProgress({ doing: 'verifying', total: await store.size() });
    const origin = verifier?.name ?? environment.auditOrigin;
    const options = { log, database: pool, origin, verifier, kept, onRead: progress.advance, signal };
    const verified = await verifyLog(options).finally(() => progress.end());
    signal.throwIfAborted();
    if (verified.size === 0 && verified.audited === 0 && kept.length === 0) {
      throw new NothingMatches('the log is empty: there is nothing to verify');
    }
    const unreadLines = unread.map(
      (lines) => `KEPT HEAD NOT READ: with this the log was not compared: ${file}, ${unreadInWords(lines)}`,
    );
    for (const line of [...unreadLines, ...verifiedInLines(verified)]) console.log(escapeControls(line));
    if (unread.length > 0 || !isAsItWas(verified)) notAsItWas();
  }, 'taken');
}

/** The heads in a file that somebody kept, and what else it holds. @throws Error if it holds no head of the verifier */
async function keptHeads(file: string, verifier: () => ReturnType<typeof verifierFrom>): Promise<KeptHeads> {
  const text = await whileReading(file, readFile(file, 'utf8'));
  const kept = keptHeadsIn(text, await verifier());
  if (kept.heads.length > 0) return kept;
  const [first] = kept.unread;
  throw new Error(
    `${file} holds no head of a log that can be compared${first ? `: ${unreadInWords(first)}` : ''}`,
  );
}

function unreadInWords({ from, to, why }: UnreadLines): string {
  return `${from === to ? `line ${from}` : `lines ${from} to ${to}`}: ${why}`;
}
