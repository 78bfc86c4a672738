import { readFile } from 'node:fs/promises';
import type { Checkpoint } from '../../services/audit/tree/checkpoint.ts';
import { notesIn, openHead } from '../../services/audit/tree/heads.ts';
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

/** Compares the log with its tree and its heads, prints what came of it, and sets the exit code 1 if they differ. */
export function compare(file: string | undefined, verifierKey: string | undefined): Promise<void> {
  return withAudit(async ({ environment, log, pool, store }) => {
    const signal = interruptible();
    const kept =
      file === undefined ? [] : await keptHeads(file, () => verifierFrom(verifierKey, environment));
    const verifier = await knownVerifier(verifierKey, environment);
    const progress = showProgress({ doing: 'verifying', total: await store.size() });
    const origin = verifier?.name ?? environment.auditOrigin;
    const options = { log, database: pool, origin, verifier, kept, onRead: progress.advance, signal };
    const verified = await verifyLog(options).finally(() => progress.end());
    signal.throwIfAborted();
    if (verified.size === 0 && verified.audited === 0 && kept.length === 0) {
      throw new NothingMatches('the log is empty: there is nothing to verify');
    }
    for (const line of verifiedInLines(verified)) console.log(escapeControls(line));
    if (!isAsItWas(verified)) notAsItWas();
  });
}

/** The heads in a file that somebody kept. @throws Error if there is none, or one was not signed by the verifier */
async function keptHeads(
  file: string,
  verifier: () => ReturnType<typeof verifierFrom>,
): Promise<Checkpoint[]> {
  const notes = notesIn(await whileReading(file, readFile(file, 'utf8')));
  if (notes.length === 0) throw new Error(`${file} holds no head of a log`);
  const by = await verifier();
  return notes.map((note) => openHead(note, by));
}
