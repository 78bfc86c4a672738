import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Outcome, Request } from './request.ts';

/** The program has to answer, or to close, within this time, in milliseconds. It waits for others for 3 s at most. */
const patienceMs = 30_000;

/** Sends requests to the program and waits for their outcomes. */
export class Exchange {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends one request. Never rejects. */
  send({ method, target, headers, body }: Request): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const sent = httpRequest({
      ...{ host: '127.0.0.1', port: this.#port, method, agent: this.#agent },
      // Node's client sends no other characters.
      path: target.toWellFormed().replace(/[^\x21-\xff]/gu, encodeURIComponent),
      headers: { ...headers, ...(body && { 'content-length': String(body.length) }) },
    });
    const timer = setTimeout(() => {
      resolve({ kind: 'hanging' });
      sent.destroy();
    }, patienceMs);
    sent.on('response', (answer) => void gather(answer).then(resolve, (error) => resolve(cut(error))));
    sent.on('error', (error) => resolve(cut(error)));
    sent.end(body);
    return promise.finally(() => clearTimeout(timer));
  }

  /** Sends bytes that need not be HTTP, and ends this side of the connection. Never rejects. */
  sendBytes(bytes: Buffer): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const chunks: Buffer[] = [];
    const socket = connect(this.#port, '127.0.0.1', () => socket.end(bytes));
    const timer = setTimeout(() => {
      resolve({ kind: 'hanging' });
      socket.destroy();
    }, patienceMs);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const body = Buffer.concat(chunks);
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(body.toString('latin1'))?.[1];
      if (status === undefined) resolve({ kind: 'cut', why: 'no answer' });
      else resolve({ kind: 'answered', status: Number(status), headers: {}, body });
    });
    return promise.finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function gather(answer: IncomingMessage): Promise<Outcome> {
  const body = Buffer.concat(await Array.fromAsync(answer));
  return { kind: 'answered', status: answer.statusCode ?? 0, headers: answer.headers, body };
}

function cut(error: unknown): Outcome {
  return { kind: 'cut', why: error instanceof Error ? error.message : String(error) };
}
