import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type Checkpoint, readCheckpointText } from '../../services/audit/tree/checkpoint.ts';
import { openHead } from '../../services/audit/tree/heads.ts';
import { type NoteVerifier, readNote, readVerifierKey } from '../../services/audit/tree/note.ts';
import { isConsistent } from '../../services/audit/tree/proofs.ts';

/** A witness of C2SP tlog-witness, for one log. */
export interface TestWitness {
  readonly url: string;
  readonly verifier: NoteVerifier;
  /** The head that it cosigned last. */
  last(): Checkpoint | undefined;
  /** Lets it forget what it cosigned, as one that lost its data. */
  forget(to?: Checkpoint): void;
  /** How it answers from now on: as it should, never, with an error, or with the same cosignature many times. */
  answers(how: Answering): void;
  /** How many calls wait for an answer. */
  waiting(): number;
}

type Answering = 'well' | 'never' | 'badly' | 'many times';

const kinds = {
  ed25519: { byte: 4, keyBytes: 32 },
  'ml-dsa-44': { byte: 6, keyBytes: 1_312 },
} as const;

/** Starts a witness that trusts a log's key. It ends with the test. */
export async function startWitness(
  log: NoteVerifier,
  kind: keyof typeof kinds = 'ed25519',
): Promise<TestWitness> {
  const name = 'witness.test/one';
  const { publicKey, privateKey } =
    kind === 'ed25519' ? generateKeyPairSync(kind) : generateKeyPairSync(kind);
  const { byte, keyBytes } = kinds[kind];
  const open = publicKey.export({ format: 'der', type: 'spki' }).subarray(-keyBytes);
  const bytes = Buffer.concat([Buffer.of(byte), open]);
  const id = createHash('sha256')
    .update(Buffer.concat([Buffer.from(`${name}\n`), bytes]))
    .digest()
    .subarray(0, 4);
  const verifier = readVerifierKey(`${name}+${id.toString('hex')}+${bytes.toString('base64')}`);
  let last: Checkpoint | undefined;

  let answering: Answering = 'well';
  let waiting = 0;

  function cosign(note: string): string {
    const { text: body } = readNote(note);
    const time = BigInt(Math.floor(Date.now() / 1000));
    const stamp = uint64(time);
    const message =
      kind === 'ed25519'
        ? Buffer.from(`cosignature/v1\ntime ${time}\n${body}`)
        : cosignedMessage(name, time, body);
    return `— ${name} ${Buffer.concat([id, stamp, sign(null, message, privateKey)]).toString('base64')}\n`;
  }

  /** What the specification has a witness answer. */
  function answer(request: string): { status: number; body?: string } {
    const [, old = '', lines = '', note = ''] = /^old (\d+)\n((?:[^\n]+\n)*)\n(.+)$/s.exec(request) ?? [];
    if (note === '') return { status: 400 };
    let head: Checkpoint;
    try {
      head = openHead(note, log);
    } catch {
      return { status: 403 };
    }
    if (Number(old) > head.size) return { status: 400 };
    if (Number(old) !== (last?.size ?? 0)) return { status: 409, body: `${last?.size ?? 0}\n` };
    const proof = lines
      .split('\n')
      .filter(Boolean)
      .map((line) => Buffer.from(line, 'base64'));
    const consistent = last ? isConsistent(last, head, proof) : proof.length === 0;
    if (!consistent) return { status: 422 };
    last = readCheckpointText(readNote(note).text);
    const own = cosign(note).repeat(answering === 'many times' ? 200 : 1);
    return { status: 200, body: `— stranger AAAAAAAAAAAA\n${own}` };
  }

  const server = createServer(async (request, response) => {
    const found = request.method === 'POST' && request.url === '/prefix/add-checkpoint';
    const given = await text(request);
    if (answering === 'never') {
      waiting++;
      response.once('close', () => waiting--);
      return;
    }
    const refused = { status: answering === 'badly' ? 500 : 404, body: '' };
    const { status, body = '' } = found && answering !== 'badly' ? answer(given) : refused;
    response
      .writeHead(status, { 'content-type': status === 409 ? 'text/x.tlog.size' : 'text/plain' })
      .end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/prefix`,
    verifier,
    last: () => last,
    forget: (to) => {
      last = to;
    },
    answers: (how) => {
      answering = how;
    },
    waiting: () => waiting,
  };
}

function uint64(number: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(number);
  return bytes;
}

/** The structure that an ML-DSA-44 cosignature signs (C2SP tlog-cosignature). */
function cosignedMessage(name: string, time: bigint, body: string): Buffer {
  const [origin = '', size = '', root = ''] = body.split('\n');
  return Buffer.concat([
    ...[Buffer.from('subtree/v1\n\0'), Buffer.of(name.length), Buffer.from(name), uint64(time)],
    ...[Buffer.of(origin.length), Buffer.from(origin), uint64(0n), uint64(BigInt(size))],
    Buffer.from(root, 'base64'),
  ]);
}
