import { WebSocket } from 'ws';
import { pingFrame, pongFrame } from '../../contracts/push/protocol.ts';
import type { Person } from './people.ts';
import type { RunningProgram } from './program.ts';

/** A client that connects again whenever it is cut off, and continues after the last push that it received. */
export class ResumingListener {
  /** The number of times that each message was received, by its mid, in the order of receiving. */
  readonly timesReceived = new Map<number, number>();
  /** Pushes that say to load afresh. */
  resets = 0;
  readonly #subscribed = Promise.withResolvers<void>();
  readonly #received = Promise.withResolvers<void>();
  readonly #program: RunningProgram;
  readonly #person: Person;
  #socket: WebSocket | undefined;
  #since = '';
  #ended = false;

  constructor(program: RunningProgram, person: Person) {
    this.#program = program;
    this.#person = person;
    this.#connect();
  }

  /** Resolves once it is subscribed: what was sent before, it does not receive. */
  get subscribed(): Promise<void> {
    return this.#subscribed.promise;
  }

  /** Resolves once it has received a message, and so has a position to continue from when it is cut off. */
  get received(): Promise<void> {
    return this.#received.promise;
  }

  close(): void {
    this.#ended = true;
    this.#socket?.terminate();
  }

  #connect(): void {
    if (this.#ended) return;
    const { port, key } = this.#program;
    const since = this.#since === '' ? '' : `&since=${encodeURIComponent(this.#since)}`;
    const socket = new WebSocket(
      `ws://127.0.0.1:${port}/app/${key}?protocol=7&token=${this.#person.token}${since}`,
    );
    this.#socket = socket;
    const channel = `user-${this.#person.uid}`;
    socket.on('open', () => socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel } })));
    socket.on('message', (data) => {
      const frame = data.toString();
      if (frame === pingFrame) socket.send(pongFrame);
      else this.#receive(JSON.parse(frame));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => setTimeout(() => this.#connect(), 50));
  }

  #receive({ event, data }: { event: string; data: string }): void {
    if (event.startsWith('pusher')) {
      if (event === 'pusher_internal:subscription_succeeded') this.#subscribed.resolve();
      return;
    }
    const { position, mid }: { position?: string; mid?: number } = JSON.parse(data);
    if (position !== undefined) this.#since = position;
    if (event === 'reset') this.resets++;
    if (event !== 'message' || mid === undefined) return;
    this.timesReceived.set(mid, (this.timesReceived.get(mid) ?? 0) + 1);
    this.#received.resolve();
  }
}
