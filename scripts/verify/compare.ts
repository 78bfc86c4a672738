import { readFile } from 'node:fs/promises';
import type { Checkpoint } from '../../services/audit/tree/checkpoint.ts';
import type { Difference } from '../../services/audit/tree/difference.ts';
import { notesIn, openHead } from '../../services/audit/tree/heads.ts';
import type { TreeEntry } from '../../services/audit/tree/tree-entry.ts';
import { type Verified, verifyLog } from '../../services/audit/tree/verify-log.ts';
import { NothingMatches } from '../cli/command.ts';
import { interruptible } from '../cli/interruption.ts';
import { escapeControls } from '../cli/output.ts';
import { showProgress } from '../cli/progress.ts';
import { verifierFrom, withAudit } from './with-audit.ts';

/** Compares the log with its tree and its heads, prints what came of it, and sets the exit code 1 if they differ. */
export function compare(file: string | undefined, verifierKey: string | undefined): Promise<void> {
  return withAudit(async ({ environment, log, pool, store }) => {
    const { signal } = interruptible();
    const { auditOrigin: origin } = environment;
    const kept =
      file === undefined ? [] : await keptHeads(file, () => verifierFrom(verifierKey, environment));
    const progress = showProgress({ doing: 'verifying', total: await store.size() });
    const options = { log, database: pool, origin, kept, onRead: progress.advance, signal };
    const verified = await verifyLog(options).finally(() => progress.end());
    if (verified.size === 0 && verified.audited === 0 && kept.length === 0) {
      throw new NothingMatches('the log is empty: there is nothing to verify');
    }
    const { difference } = verified;
    console.log(difference ? escapeControls(describe(difference)) : summary(verified));
    if (difference) process.exitCode = 1;
  });
}

/** The heads in a file that somebody kept. @throws Error if there is none, or one was not signed by the verifier */
async function keptHeads(
  file: string,
  verifier: () => ReturnType<typeof verifierFrom>,
): Promise<Checkpoint[]> {
  const notes = notesIn(await readFile(file, 'utf8'));
  if (notes.length === 0) throw new Error(`${file} holds no head of a log`);
  const by = await verifier();
  return notes.map((note) => openHead(note, by));
}

function summary({ size, audited, heads, signed, root }: Verified): string {
  const rest = size > audited ? `, ${size - audited} of which are not audited yet` : '';
  const covered =
    heads === 0 ? 'No head was signed yet.' : `${heads} signed heads fit, the last one of ${signed} events.`;
  return `The log is as it was: ${size} events${rest}. ${covered} Root: ${Buffer.from(root).toString('base64')}`;
}

/** What is different, in a sentence. */
export function describe(difference: Difference): string {
  switch (difference.kind) {
    case 'changed':
      return `CHANGED: ${nameOf(difference.event)} is event ${difference.number}, but not as it was: its ${difference.what} differ`;
    case 'removed': {
      const instead = difference.instead ? `; ${nameOf(difference.instead)} is in its place` : '';
      return `REMOVED: ${nameOf(difference.event)} was event ${difference.number}, and is not in the log any more${instead}`;
    }
    case 'inserted':
      return `INSERTED: ${nameOf(difference.event)} is event ${difference.number}, and was not there when its neighbours were audited`;
    case 'moved':
      return `MOVED: ${nameOf(difference.event)} is event ${difference.number}, and was event ${difference.from}`;
    case 'index changed':
      return (
        `INDEX CHANGED: the log is as it was, but row ${difference.number} of its index is not ${nameOf(difference.event)}; ` +
        'make the index again: npm run rebuild -- --audit'
      );
    case 'not the same':
      return (
        `NOT THE SAME: the events from ${difference.from} to ${difference.to - 1} are not those that were audited or signed, ` +
        'or are missing, and nothing that is kept says which of them'
      );
  }
}

function nameOf({ stream, revision, type, recorded }: TreeEntry): string {
  return `${stream}@${revision} (${type}, recorded ${new Date(recorded).toISOString()})`;
}
