import type { Random } from './random.ts';

/** The body of a request with its type. */
export interface Body {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Values as pairs of texts, as forms and queries have them. */
function pairsOf(random: Random, given: Readonly<Record<string, unknown>>): [name: string, text: string][] {
  return Object.entries(given).flatMap(([name, value]): [string, string][] => {
    if (Array.isArray(value)) {
      const style = random.pick(['[]', '[i]', '', ',']);
      if (style === ',') return [[name, value.map(textOf).join(',')]];
      return value.map((one, index) => [`${name}${style === '[i]' ? `[${index}]` : style}`, textOf(one)]);
    }
    if (typeof value === 'object' && value !== null) {
      return Object.entries(value).map(([key, one]) => [`${name}[${key}]`, textOf(one)]);
    }
    return [[name, textOf(value)]];
  });
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? (JSON.stringify(value) ?? '') : String(value);
}

const escapes: Readonly<Record<string, (text: string) => string>> = {
  right: (text) => encodeURIComponent(text.toWellFormed()),
  'as PHP': (text) => encodeURIComponent(text.toWellFormed()).replaceAll('%20', '+'),
  'every byte': (text) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  'as Latin-1': (text) =>
    [...Buffer.from(text, 'latin1')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  broken: (text) => `${encodeURIComponent(text.toWellFormed())}%e4%b8%`,
};
const escapeWeights = { right: 30, 'as PHP': 4, 'every byte': 2, 'as Latin-1': 1, broken: 1 };

/** Encodes values as a query or a form. Some are given twice, some in an odd encoding. */
export function encodeForm(
  random: Random,
  given: Readonly<Record<string, unknown>>,
  maxBytes: number,
): string {
  const pairs = pairsOf(random, given);
  const twice = random.chance(0.03) ? random.pickAny(pairs) : undefined;
  if (twice !== undefined) pairs.push(twice);
  if (random.chance(0.02))
    pairs.push(['__proto__[polluted]', '1'], ['constructor', '1'], ['', ''], ['[]', 'x']);
  if (random.chance(0.01)) {
    for (let index = 2000; index-- > 0; ) pairs.push([`members[${index}]`, '']);
  }
  const escaped = escapes[random.weighted(escapeWeights)] ?? encodeURIComponent;
  return pairs
    .map(([name, text]) => `${escaped(name)}=${escaped(text)}`)
    .join('&')
    .slice(0, maxBytes);
}

/** Encodes values as JSON, at times as JSON that is broken. */
export function encodeJson(random: Random, given: Readonly<Record<string, unknown>>): Buffer {
  const text = JSON.stringify(given);
  const kind = random.weighted({
    right: 60,
    cut: 1,
    deep: 1,
    list: 1,
    twice: 1,
    proto: 1,
    bytes: 1,
    mark: 1,
    none: 1,
  });
  const level = random.pick([30, 65, 10_000, 60_000]);
  switch (kind) {
    case 'cut':
      return Buffer.from(text.slice(0, random.integer(0, text.length)));
    case 'deep':
      return Buffer.from(`{"login_uid":${'['.repeat(level)}${random.chance(0.5) ? ']'.repeat(level) : ''}}`);
    case 'list':
      return Buffer.from(random.pick([`[${text}]`, 'null', '1', '""', 'true', `${text} ${text}`]));
    case 'twice':
      // Only a name that comes again, so that the last one counts.
      return Buffer.from(text.replace(/^\{("\w+":)/, '{$11,$1'));
    case 'proto':
      return Buffer.from(text.replace('{', '{"__proto__":{"a":1},"constructor":{"prototype":{}},'));
    case 'bytes':
      return Buffer.concat([Buffer.from(text.slice(0, -1)), random.bytes(20)]);
    case 'mark':
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]);
    case 'none':
      return Buffer.alloc(0);
    default:
      return Buffer.from(text);
  }
}

/** Encodes values, and a file if there is one, as multipart, at times as one that is broken. */
export function encodeMultipart(
  random: Random,
  given: Readonly<Record<string, unknown>>,
  file: Buffer | undefined,
): Body {
  const boundary = `fuzz${random.word(12)}`;
  const parts = pairsOf(random, given)
    .slice(0, 6000)
    .map(([name, text]) => part(boundary, `name="${name.replaceAll('"', '%22')}"`, Buffer.from(text)));
  if (file !== undefined) {
    const name = random.pick([
      'a.png',
      '图.jpg',
      '../../x',
      'a"b',
      '',
      'x'.repeat(400),
      'a\u0000b',
      '.',
      'a.tar.gz',
    ]);
    const field = random.weighted({ file: 20, File: 1, other: 1, '': 1 });
    const copies = random.chance(0.04) ? 2 : 1;
    const type = random.pick(['image/png', 'text/html', 'x', 'application/octet-stream']);
    for (let copy = 0; copy < copies; copy++) {
      parts.push(part(boundary, `name="${field}"; filename="${name}"`, file, `Content-Type: ${type}\r\n`));
    }
    if (random.chance(0.2)) parts.reverse();
  }
  const end = random.weighted({ right: 20, missing: 1, wrong: 1 });
  const tail = end === 'right' ? `--${boundary}--\r\n` : end === 'wrong' ? '--other--\r\n' : '';
  return {
    type: `multipart/form-data; boundary=${random.chance(0.02) ? '' : boundary}`,
    bytes: Buffer.concat([...parts, Buffer.from(tail)]),
  };
}

function part(boundary: string, disposition: string, content: Buffer, more = ''): Buffer {
  const head = `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n`;
  return Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n')]);
}
