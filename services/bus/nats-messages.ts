import { z } from 'zod';
import { PushRow } from '../../contracts/push/row.ts';
import type { Position } from '../log/log.ts';
import type { Signal, Tick } from './bus.ts';

/**
 * The subjects of messages. Each channel and topic has its own, so that the server sends a process only what it listens
 * to. Letters of a name stay readable; bytes with a meaning in subjects are written as `=` and hex.
 */
export class Subjects {
  /** The same for all installations with this prefix. Each tick names its installation, so others are detected. */
  readonly tick: string;
  readonly #prefix: string;

  /** @throws TypeError if the prefix is not a valid subject */
  constructor(prefix: string, installation: string) {
    const own = `${prefix}.${installation}`;
    if (!/^[\w-]+(\.[\w-]+)*$/.test(own)) throw new TypeError(`not a subject: ${own}`);
    this.#prefix = own;
    this.tick = `${prefix}.tick`;
  }

  /** The subject for the rows of a channel. */
  push(channel: string): string {
    return `${this.#prefix}.push.${token(channel)}`;
  }

  /** The subject for the signals of a topic. */
  signal(topic: string): string {
    return `${this.#prefix}.signal.${token(topic)}`;
  }
}

function token(name: string): string {
  return Buffer.from(name)
    .toString('latin1')
    .replace(/[^\w-]/g, (byte) => `=${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A row; or none, if a row of this channel is too large for the server and must be read from the table. */
const RowMessage = z.object({ fence: z.number(), row: PushRow.optional() });

const TickMessage = z.object({
  checkpoint: z.string().transform((position) => position as Position),
  fence: z.number(),
  batch: z.number(),
  time: z.number().optional(),
  /** The installation of the projector; undefined from older programs. */
  installation: z.string().optional(),
  /** The tick is repeated after a reconnection; rows of its batch may not have been sent and must be read. */
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
    more: z.literal(true).exactOptional(),
  }),
]);

type Message = Uint8Array<ArrayBufferLike>;

const parse = (message: Message): unknown => JSON.parse(Buffer.from(message).toString());

/** Messages of a subject from `Subjects.push`. */
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
  // Not `Signal`, so that a kind that `decode` would refuse does not compile.
  encode: (signal: SignalMessage): Message => Buffer.from(JSON.stringify(signal)),
  /** @throws SyntaxError, ZodError */
  decode: (message: Message): Signal => SignalMessage.parse(parse(message)),
};
