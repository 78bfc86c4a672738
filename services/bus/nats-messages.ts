import { z } from 'zod';
import { PushRow } from '../../contracts/push/row.ts';
import type { Position } from '../log/log.ts';
import type { Signal, Tick } from './bus.ts';

/**
 * Subjects, so that a server sends each process what something in it listens to and no more. A
 * name's own letters stay readable; what means something in a subject is written as `=` and hex.
 */
export class Subjects {
  /** One for all installations that share a prefix: each tick names its own, so that others are noticed. */
  readonly tick: string;
  readonly #prefix: string;

  /** @throws TypeError for what is no subject. */
  constructor(prefix: string, installation: string) {
    const own = `${prefix}.${installation}`;
    if (!/^[\w-]+(\.[\w-]+)*$/.test(own)) throw new TypeError(`not a subject: ${own}`);
    this.#prefix = own;
    this.tick = `${prefix}.tick`;
  }

  /** Where the rows of a channel go. */
  push(channel: string): string {
    return `${this.#prefix}.push.${token(channel)}`;
  }

  /** Where the signals of a topic go. */
  signal(topic: string): string {
    return `${this.#prefix}.signal.${token(topic)}`;
  }
}

function token(name: string): string {
  return Buffer.from(name)
    .toString('latin1')
    .replace(/[^\w-]/g, (byte) => `=${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A row, or word that a row of this channel was too large for the server and is to be read. */
const RowMessage = z.object({ fence: z.number(), row: PushRow.optional() });

const TickMessage = z.object({
  checkpoint: z.string().transform((position) => position as Position),
  fence: z.number(),
  batch: z.number(),
  /** Whose tick it is; undefined from programs that are older than this. */
  installation: z.string().optional(),
  /** Told again, of a batch whose rows may not have been sent: they are to be read. */
  again: z.literal(true).exactOptional(),
});

type SignalMessage = z.infer<typeof SignalMessage>;
const SignalMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('token ended'), token: z.string() }),
  z.object({ kind: z.literal('user ended'), uid: z.number() }),
  z.object({ kind: z.literal('connections ended'), userId: z.string() }),
  z.object({
    kind: z.literal('ephemeral'),
    channel: z.string(),
    event: z.string(),
    data: z.string(),
    exceptSocket: z.string().exactOptional(),
    userId: z.string().exactOptional(),
    twin: z.boolean().exactOptional(),
    version: z.string().exactOptional(),
  }),
  z.object({ kind: z.literal('members changed'), channel: z.string() }),
  z.object({ kind: z.literal('question'), id: z.string(), prefix: z.string(), answerTo: z.string() }),
  z.object({
    kind: z.literal('answer'),
    id: z.string(),
    gateway: z.string(),
    subscriptions: z.record(z.string(), z.number()),
  }),
]);

type Message = Uint8Array<ArrayBufferLike>;

const parse = (message: Message): unknown => JSON.parse(Buffer.from(message).toString());

/** What a subject of `push` carries. */
export const rowMessage = {
  encode: (fence: number, row?: PushRow): Message => Buffer.from(JSON.stringify({ fence, row })),
  /** @throws SyntaxError, ZodError */
  decode: (message: Message) => RowMessage.parse(parse(message)),
};

export const tickMessage = {
  encode: (tick: Tick, installation: string, again?: true): Message =>
    Buffer.from(JSON.stringify({ ...tick, installation, again })),
  /** @throws SyntaxError, ZodError */
  decode: (message: Message) => TickMessage.parse(parse(message)),
};

export const signalMessage = {
  // Not of `Signal`, so that a kind which could not be read does not compile.
  encode: (signal: SignalMessage): Message => Buffer.from(JSON.stringify(signal)),
  /** @throws SyntaxError, ZodError */
  decode: (message: Message): Signal => SignalMessage.parse(parse(message)),
};
