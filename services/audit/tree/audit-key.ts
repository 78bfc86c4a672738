import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { keptOrMade, readKept } from '../../app-keys/kept-file.ts';
import { makeFolder } from '../../make-folder.ts';
import { type NoteSigner, type NoteVerifier, signingKey, verifierOf } from './note.ts';

const seedBytes = 32;

/** What the key of the audit log is made of. */
export interface AuditKeySource {
  /** The data folder, where the key is kept. */
  readonly dataFolder: string;
  /** AUDIT_KEY: the key, in place of a kept one. */
  readonly auditKey: string | undefined;
  /** The name of the log. */
  readonly auditOrigin: string;
}

/**
 * Who signs the heads of the audit log: with the key as given, else as kept in the folder's `audit-key`, which is made
 * at the first start: 32 bytes in base64, the seed of an Ed25519 key. A given one is never written there.
 * @throws Error if the file cannot be read, written or understood
 */
export async function loadAuditSigner({
  dataFolder,
  auditKey,
  auditOrigin,
}: AuditKeySource): Promise<NoteSigner> {
  if (auditKey !== undefined) return signer(auditOrigin, auditKey, 'AUDIT_KEY');
  const file = keyFile(dataFolder);
  // An auditor alone may be the first to need the folder.
  await makeFolder(dataFolder);
  return signer(
    auditOrigin,
    await keptOrMade(file, () => `${randomBytes(seedBytes).toString('base64')}\n`),
    file,
  );
}

/**
 * The same for who only looks: undefined if there is no key yet, which is then not made.
 * @throws Error if the file cannot be read or understood
 */
export async function findAuditSigner({
  dataFolder,
  auditKey,
  auditOrigin,
}: AuditKeySource): Promise<NoteSigner | undefined> {
  if (auditKey !== undefined) return signer(auditOrigin, auditKey, 'AUDIT_KEY');
  const kept = await readKept(keyFile(dataFolder));
  return kept === undefined ? undefined : signer(auditOrigin, kept, keyFile(dataFolder));
}

/** By whom heads of the audit log are signed; undefined if there is no key yet. @throws Error as `findAuditSigner` */
export async function findAuditVerifier(source: AuditKeySource): Promise<NoteVerifier | undefined> {
  const found = await findAuditSigner(source);
  return found && verifierOf(found);
}

function keyFile(folder: string): string {
  return join(folder, 'audit-key');
}

function signer(name: string, text: string, source: string): NoteSigner {
  const seed = Buffer.from(text.trim(), 'base64');
  if (seed.length !== seedBytes) {
    throw new Error(
      `${source} does not hold ${seedBytes} bytes in base64: restore it, or remove it to make another`,
    );
  }
  return { name, key: signingKey(seed) };
}
