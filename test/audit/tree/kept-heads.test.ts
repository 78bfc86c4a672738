import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { signHead } from '../../../services/audit/tree/heads.ts';
import { keptHeadsIn } from '../../../services/audit/tree/kept-heads.ts';
import { type NoteSigner, signatureLine, signingKey, verifierOf } from '../../../services/audit/tree/note.ts';

const signer: NoteSigner = { name: 'bubble-im/test', key: signingKey(randomBytes(32)) };
const other: NoteSigner = { name: 'bubble-im/other', key: signingKey(randomBytes(32)) };
const headOf = (size: number, by = signer) => signHead(by, { size, root: new Uint8Array(32).fill(size) });
const [one, two, three] = [headOf(1), headOf(2), headOf(3)];

function read(text: string) {
  const { heads, unread } = keptHeadsIn(text, verifierOf(signer));
  return { sizes: heads.map(({ size }) => size), unread };
}

/** As by a crash: all beginnings of a head that are not whole. Whole it is without the padding of its base64, too. */
const cut = Array.from({ length: two.length - 3 }, (_, length) => two.slice(0, length + 1));

test.each([
  ['each with a blank line behind it', `${one}\n${two}\n`],
  ['one right behind the other', `${one}${two}`],
  ['the last without its line break', `${one}\n${two.trimEnd()}`],
])('heads in a file are read, %s', (_how, text) => {
  expect(read(text)).toEqual({ sizes: [1, 2], unread: [] });
});

test('a head with a cosignature of an unknown key is read', () => {
  expect(read(one + signatureLine(other, 'a text\n') + two)).toEqual({ sizes: [1, 2], unread: [] });
});

test('the beginning of a head at the end of a file is named, wherever it was cut', () => {
  for (const beginning of cut) {
    const { sizes, unread } = read(`${one}\n${beginning}`);
    expect(sizes).toEqual([1]);
    expect(unread).toMatchObject([{ from: 7 }]);
  }
});

test('the beginning of a head before others is named, wherever it was cut, and the others are read', () => {
  for (const beginning of cut) {
    for (const between of ['', '\n', '\n\n']) {
      const { sizes, unread } = read(`${one}\n${beginning}${between}${three}\n${one}`);
      expect(sizes).toEqual([1, 3, 1]);
      expect(unread).toMatchObject([{ from: 7 }]);
    }
  }
});

test.each([
  ['a signature that does not begin as one', two.replace('— ', '-- '), 'there is no complete head'],
  ['another root', two.replace('AgIC', 'AwMD'), 'the signature of bubble-im/test is not that of this text'],
  ['line breaks of another system', two.replaceAll('\n', '\r\n'), 'there is no complete head'],
  [
    'the signature of another key',
    headOf(2, other),
    'the head of bubble-im/other is not signed by the key of bubble-im/test',
  ],
  ['no signature', two.slice(0, two.indexOf('— ')), 'there is no complete head'],
  ['nothing but a signature', two.slice(two.indexOf('— ')), 'this is no checkpoint of a log'],
])('a head with %s is named by its lines, and the others are read', (_what, damaged, why) => {
  const { sizes, unread } = read(`${one}\n${damaged}\n${three}`);
  expect(sizes).toEqual([1, 3]);
  const lines = damaged.trimEnd().split('\n').length;
  expect(unread).toEqual([{ from: 7, to: 6 + lines, why }]);
});
