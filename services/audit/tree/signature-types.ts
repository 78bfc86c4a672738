import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readCheckpointText } from './checkpoint.ts';

/** What of a signature is verified. */
interface SignedText {
  /** The text of the note. */
  readonly text: string;
  /** Who signed it. */
  readonly name: string;
  readonly key: KeyObject;
  readonly signature: Buffer;
}

/** A type of signatures in a note (C2SP signed-note). */
export interface SignatureType {
  /** Names the type in a verifier key and in the id of a key. */
  readonly byte: number;
  readonly keyBytes: number;
  /** The bytes before those of a public key in the format that Node reads and writes. */
  readonly keyPrefix: Buffer;
  verifies(signed: SignedText): boolean;
}

const ed25519Key = { keyBytes: 32, keyPrefix: Buffer.from('302a300506032b6570032100', 'hex') };

/** A cosignature begins with its time, in seconds since 1970 (C2SP tlog-cosignature). */
const timeBytes = 8;

const verifiesCosignature =
  (signatureBytes: number, message: (signed: SignedText, time: bigint) => Buffer) =>
  (signed: SignedText): boolean => {
    const { key, signature } = signed;
    if (signature.length !== timeBytes + signatureBytes) return false;
    const time = signature.readBigUInt64BE();
    // Without a time it says nothing of the latest head.
    return time > 0n && verify(null, message(signed, time), key, signature.subarray(timeBytes));
  };

/** By this a log signs its notes. */
export const ed25519: SignatureType = {
  ...ed25519Key,
  byte: 1,
  verifies: ({ text, key, signature }) => verify(null, Buffer.from(text), key, signature),
};

const ed25519Cosignature: SignatureType = {
  ...ed25519Key,
  byte: 4,
  verifies: verifiesCosignature(64, ({ text }, time) => Buffer.from(`cosignature/v1\ntime ${time}\n${text}`)),
};

const mlDsa44Cosignature: SignatureType = {
  byte: 6,
  keyBytes: 1_312,
  keyPrefix: Buffer.from('30820532300b06096086480165030403110382052100', 'hex'),
  verifies: verifiesCosignature(2_420, cosignedMessage),
};

/** The type of a verifier key, by its first byte; undefined for those that are not known here. */
export function signatureTypeOf(byte: number | undefined): SignatureType | undefined {
  return [ed25519, ed25519Cosignature, mlDsa44Cosignature].find((type) => type.byte === byte);
}

/** A public key of a type from its bytes. @throws Error if they are none */
export function publicKey({ keyPrefix }: SignatureType, bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([keyPrefix, bytes]), format: 'der', type: 'spki' });
}

/** The bytes of a public key. */
export function publicBytes({ keyPrefix }: SignatureType, key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(keyPrefix.length);
}

/** What an ML-DSA-44 cosignature of a checkpoint signs: the structure `cosigned_message` of C2SP tlog-cosignature. */
function cosignedMessage({ name, text }: SignedText, time: bigint): Buffer {
  const { origin, size, root } = readCheckpointText(text);
  const withLength = (word: string) => Buffer.concat([Buffer.of(Buffer.byteLength(word)), Buffer.from(word)]);
  const uint64 = (number: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(number);
    return bytes;
  };
  const start = uint64(0n);
  return Buffer.concat([
    ...[Buffer.from('subtree/v1\n\0'), withLength(name), uint64(time), withLength(origin)],
    ...[start, uint64(BigInt(size)), root],
  ]);
}
