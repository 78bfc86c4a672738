import { createPrivateKey, createPublicKey, hash, type KeyObject, sign } from 'node:crypto';
import { ed25519, publicBytes, publicKey, type SignatureType, signatureTypeOf } from './signature-types.ts';

/** A key's name as a note may have it: no blanks, no `+`, no control characters. */
const keyName = /^[^\s+\p{Cc}]{1,200}$/u;

/** Who signs notes. */
export interface NoteSigner {
  readonly name: string;
  readonly key: KeyObject;
}

/** Who has signed a note, as everybody may know them. */
export interface NoteVerifier {
  readonly name: string;
  readonly type: SignatureType;
  readonly id: Buffer;
  readonly key: KeyObject;
}

/** A note whose text is separated from its signatures; none of them is verified. */
export interface Note {
  /** With its last line break. */
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly id: Buffer; readonly signature: Buffer }[];
}

/** The bytes before an Ed25519 key's 32 bytes in the format that Node reads. */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The Ed25519 key of a seed of 32 bytes. */
export function signingKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' });
}

function keyId(name: string, type: SignatureType, key: Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type.byte), key]);
  return hash('sha256', bytes, 'buffer').subarray(0, 4);
}

/** Who verifies what a signer signs. */
export function verifierOf({ name, key }: NoteSigner): NoteVerifier {
  const open = createPublicKey(key);
  return { name, type: ed25519, id: keyId(name, ed25519, publicBytes(ed25519, open)), key: open };
}

/** Who verifies what the same key signs under another name. */
export function renamed({ type, key }: NoteVerifier, name: string): NoteVerifier {
  return { name, type, id: keyId(name, type, publicBytes(type, key)), key };
}

/** A verifier as one line: `name+id+key`. */
export function verifierKey({ name, type, id, key }: NoteVerifier): string {
  const typed = Buffer.concat([Buffer.of(type.byte), publicBytes(type, key)]);
  return `${name}+${id.toString('hex')}+${typed.toString('base64')}`;
}

/** Reads a verifier's line. @throws Error if it is none, in words for who gave it */
export function readVerifierKey(text: string): NoteVerifier {
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text.trim()) ?? [];
  const typed = Buffer.from(encoded, 'base64');
  const [type, bytes] = [signatureTypeOf(typed[0]), typed.subarray(1)];
  if (!keyName.test(name) || type === undefined || bytes.length !== type.keyBytes) {
    throw new Error(
      'a verifier key is name+id+key, as npm run verify -- --key prints it; of witnesses, of Ed25519 or ML-DSA-44 cosignatures',
    );
  }
  const verifier = { name, type, id: keyId(name, type, bytes), key: publicKey(type, bytes) };
  if (verifier.id.toString('hex') !== id)
    throw new Error('the id in the verifier key is not that of its key');
  return verifier;
}

/** Signs a text, which ends with a line break. @returns the line of the signature, with its line break */
export function signatureLine({ name, key }: NoteSigner, text: string): string {
  const { id } = verifierOf({ name, key });
  const signature = sign(null, Buffer.from(text), key);
  return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

/** A text with the lines of its signatures. */
export function noteOf(text: string, signatures: readonly string[]): string {
  return `${text}\n${signatures.join('')}`;
}

const signature = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/;

/** Reads lines of signatures. @throws Error if any is none */
function readSignatures(lines: string): Note['signatures'] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, name = '', encoded = ''] = signature.exec(line) ?? [];
      const bytes = Buffer.from(encoded, 'base64');
      if (name === '' || bytes.length <= 4) throw new Error('a signature in the note is broken');
      return { name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
    });
}

/** Takes a note apart. @throws Error if it is none */
export function readNote(note: string): Note {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) throw new Error('this is no signed note');
  return { text: note.slice(0, end + 1), signatures: readSignatures(note.slice(end + 2)) };
}

/** Whether a verifier has signed the note. @throws Error if a signature that says so is wrong */
export function isSignedBy({ text, signatures }: Note, { name, type, id, key }: NoteVerifier): boolean {
  const own = signatures.filter((signed) => signed.name === name && signed.id.equals(id));
  for (const { signature } of own) {
    if (!type.verifies({ text, name, key, signature })) {
      throw new Error(`the signature of ${name} is not that of this text`);
    }
  }
  return own.length > 0;
}
