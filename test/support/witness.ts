import { createHash, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type Checkpoint, readCheckpointText } from '../../services/audit/tree/checkpoint.ts';
import { openHead } from '../../services/audit/tree/heads.ts';
import {
  type NoteVerifier,
  readNote,
  readVerifierKey,
  signingKey,
  verifierKey,
  verifierOf,
} from '../../services/audit/tree/note.ts';
import { isConsistent } from '../../services/audit/tree/proofs.ts';

/** A witness of C2SP tlog-witness, for one log. */
export interface TestWitness {
  readonly url: string;
  readonly verifier: NoteVerifier;
  /** The head that it cosigned last. */
  last(): Checkpoint | undefined;
  /** Lets it forget what it cosigned, as one that lost its data. */
  forget(to?: Checkpoint): void;
}

/** Starts a witness that trusts a log's key. It ends with the test. */
export async function startWitness(log: NoteVerifier): Promise<TestWitness> {
  const name = 'witness.test/one';
  const key = signingKey(randomBytes(32));
  // After the name and the id, of 8 digits.
  const encoded = verifierKey(verifierOf({ name, key })).slice(name.length + 10);
  const bytes = Buffer.concat([Buffer.of(4), Buffer.from(encoded, 'base64').subarray(1)]);
  const id = createHash('sha256')
    .update(Buffer.concat([Buffer.from(`${name}\n`), bytes]))
    .digest()
    .subarray(0, 4);
  const verifier = readVerifierKey(`${name}+${id.toString('hex')}+${bytes.toString('base64')}`);
  let last: Checkpoint | undefined;

  function cosign(note: string): string {
    const { text: body } = readNote(note);
    const time = BigInt(Math.floor(Date.now() / 1000));
    const stamp = Buffer.alloc(8);
    stamp.writeBigUInt64BE(time);
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${body}`), key);
    return `— ${name} ${Buffer.concat([id, stamp, signature]).toString('base64')}\n`;
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
    return { status: 200, body: `— stranger AAAAAAAAAAAA\n${cosign(note)}` };
  }

  const server = createServer(async (request, response) => {
    const found = request.method === 'POST' && request.url === '/prefix/add-checkpoint';
    const { status, body = '' } = found ? answer(await text(request)) : { status: 404 };
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
  };
}
