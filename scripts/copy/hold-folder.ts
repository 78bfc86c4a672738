import { recordName } from '../../services/audit/copy/export-record.ts';
import { type HeldExport, holdExport } from '../../services/audit/copy/held-export.ts';
import { findAuditSigner } from '../../services/audit/tree/audit-key.ts';
import { readVerifierKey, verifierOf } from '../../services/audit/tree/note.ts';
import { readEnvironment } from '../../services/environment.ts';
import { interruptible } from '../cli/interruption.ts';
import { showProgress } from '../cli/progress.ts';
import { mustHoldExport } from './export-folder.ts';

/**
 * Holds an exported folder against its record and its signed head, and says on stderr what of it is not proven.
 * @param verifierKey by whose key the head must be signed
 * @throws Error that names the folder, if it holds no export, or what differs
 */
export async function holdFolder(folder: string, verifierKey: string | undefined): Promise<HeldExport> {
  await mustHoldExport('--from', folder);
  const given = verifierKey === undefined ? undefined : readVerifierKey(verifierKey);
  const signer = await findAuditSigner(readEnvironment());
  const progress = showProgress({ doing: 'verifying' });
  const held = await holdExport({
    ...{ folder, given, known: signer && verifierOf(signer) },
    ...{ onRead: progress.advance, signal: interruptible() },
  }).finally(() => progress.end());
  const unproven = whatIsUnproven(held);
  if (unproven !== undefined) process.stderr.write(`import: ${unproven}\n`);
  return held;
}

function whatIsUnproven({ size, record, head }: HeldExport): string | undefined {
  if (!record)
    return `the folder has no ${recordName}, as an older version exports: its events cannot be held against a head`;
  if (!head)
    return `no head of the log was signed: the events are what ${recordName} says, which whoever changes them can change too`;
  if (head.signedBy === 'not verified')
    return 'the signature of the head was not verified, as no key is known here: give --verifier';
  if (head.signedBy === 'named by the folder')
    return `the key of the head is known from the folder alone: compare it with the one that you kept, or give --verifier: ${record.head?.verifier}`;
  if (head.size < size)
    return `the last ${size - head.size} events came after the head: they are what ${recordName} says, and nobody signed them`;
  return undefined;
}
