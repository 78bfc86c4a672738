import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkpointText, readCheckpointText } from '../../../services/audit/tree/checkpoint.ts';
import { emptyRoot } from '../../../services/audit/tree/hashes.ts';
import {
  isSignedBy,
  noteOf,
  readNote,
  readVerifierKey,
  signatureLine,
  signingKey,
  verifierKey,
  verifierOf,
} from '../../../services/audit/tree/note.ts';

/** The example of C2SP signed-note. */
const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const exampleNote = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

/** The example of Go's package note: a signing key and what it signs. */
const goSeed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const goKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const goText =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const goSignature =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

describe('a signed note', () => {
  test('of the specification is verified by its key', () => {
    const verifier = readVerifierKey(exampleKey);
    expect(verifierKey(verifier)).toBe(exampleKey);
    expect(isSignedBy(readNote(exampleNote), verifier)).toBe(true);
  });

  test('is signed as Go signs it, with the same verifier key', () => {
    const signer = { name: 'PeterNeumann', key: signingKey(goSeed) };
    expect(verifierKey(verifierOf(signer))).toBe(goKey);
    expect(signatureLine(signer, goText)).toBe(goSignature);
  });

  test('is refused if text or signature were changed, and is not signed by a key that did not', () => {
    const verifier = readVerifierKey(goKey);
    const changed = readNote(noteOf(goText.replace('answer', 'Answer'), [goSignature]));
    expect(() => isSignedBy(changed, verifier)).toThrow('is not that of this text');
    const stranger = verifierOf({ name: 'PeterNeumann', key: signingKey(randomBytes(32)) });
    expect(isSignedBy(readNote(noteOf(goText, [goSignature])), stranger)).toBe(false);
  });

  test.each(['', 'text\n', 'text\n\n— name\n', 'text\n\n— name AAAA\n', 'text\n\n- name AAAAAAAA\n'])(
    'is not %j',
    (text) => {
      expect(() => isSignedBy(readNote(text), readVerifierKey(goKey))).toThrow();
    },
  );
});

test.each([
  '',
  'name',
  'na me+00000000+AAAA',
  `${goKey}AAAA`,
  goKey.replace('c74f20a3', 'c74f20a4'),
  'a+b+c',
])('no verifier key is %j', (text) => {
  expect(() => readVerifierKey(text)).toThrow(/verifier key/);
});

describe('the text of a checkpoint', () => {
  test('names origin, size and root, and is read back', () => {
    const text = checkpointText({ origin: 'bubble-im/app', size: 70_000, root: emptyRoot });
    expect(text).toBe('bubble-im/app\n70000\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n');
    expect(readCheckpointText(text)).toMatchObject({ origin: 'bubble-im/app', size: 70_000 });
  });

  test.each(['', 'origin\n', 'origin\n07\nAAAA\n', 'origin\n1\nAAAA\n', '\n1\n47DEQpj8HBSa\n'])(
    'is not %j',
    (text) => {
      expect(() => readCheckpointText(text)).toThrow('no checkpoint');
    },
  );
});
