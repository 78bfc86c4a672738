import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** The types of signatures in a note (C2SP signed-note): Ed25519, and a witness's cosignature with its time. */
const signatureTypes = { ed25519: 1, cosignature: 4 } as const;

type SignatureType = keyof typeof signatureTypes;

/** A key's name as a note may have it: no blanks, no `+`, no control characters. */
export const keyName = /^[^\s+\p{Cc}]{1,200}$/u;

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

/** The bytes before an Ed25519 key's 32 bytes in the formats that Node reads and writes. */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** The Ed25519 key of a seed of 32 bytes. */
export function signingKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' });
}

function publicBytes(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(publicPrefix.length);
}

function keyId(name: string, type: SignatureType, key: Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(signatureTypes[type]), key]);
  return hash('sha256', bytes, 'buffer').subarray(0, 4);
}

/** Who verifies what a signer signs. */
export function verifierOf({ name, key }: NoteSigner): NoteVerifier {
  const open = createPublicKey(key);
  return { name, type: 'ed25519', id: keyId(name, 'ed25519', publicBytes(open)), key: open };
}

/** A verifier as one line: `name+id+key`. */
export function verifierKey({ name, type, id, key }: NoteVerifier): string {
  const typed = Buffer.concat([Buffer.of(signatureTypes[type]), publicBytes(key)]);
  return `${name}+${id.toString('hex')}+${typed.toString('base64')}`;
}

/** Reads a verifier's line. @throws Error if it is none, in words for who gave it */
export function readVerifierKey(text: string): NoteVerifier {
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text.trim()) ?? [];
  const [number, ...bytes] = Buffer.from(encoded, 'base64');
  const type: SignatureType | undefined =
    number === signatureTypes.ed25519
      ? 'ed25519'
      : number === signatureTypes.cosignature
        ? 'cosignature'
        : undefined;
  if (!keyName.test(name) || type === undefined || bytes.length !== 32) {
    throw new Error('a verifier key is name+id+key, as npm run verify -- --key prints it');
  }
  const key = createPublicKey({
    key: Buffer.concat([publicPrefix, Buffer.from(bytes)]),
    format: 'der',
    type: 'spki',
  });
  const verifier = { name, type, id: keyId(name, type, Buffer.from(bytes)), key };
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
export function readSignatures(lines: string): Note['signatures'] {
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
    const right =
      type === 'ed25519'
        ? verify(null, Buffer.from(text), key, signature)
        : signature.length === 72 &&
          verify(
            null,
            Buffer.from(`cosignature/v1\ntime ${signature.readBigUInt64BE()}\n${text}`),
            key,
            signature.subarray(8),
          );
    if (!right) throw new Error(`the signature of ${name} is not that of this text`);
  }
  return own.length > 0;
}
