import { WebSocket } from 'ws';
import { z } from 'zod';
import { authOf, channelText } from '../../services/app-keys/signature.ts';
import { app } from './harness.ts';

const Frame = z.object({
  event: z.string(),
  channel: z.string().optional(),
  data: z.unknown(),
  user_id: z.string().optional(),
});
/** A received frame; `data` is parsed if it is a text. */
export interface Frame {
  readonly event: string;
  readonly channel: string | undefined;
  readonly data: unknown;
  readonly userId: string | undefined;
}

/** How long a client waits for anything: on a busy machine it takes long, and a test has 30 s. */
const timeoutMs = 20_000;

/** A websocket that speaks the protocol by hand, and keeps the frames that it receives. */
export class Client {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  closed: { readonly code: number; readonly reason: string } | undefined;
  #socketId: string | undefined;
  readonly #waiting = new Set<() => void>();

  private constructor(url: string, headers: Record<string, string>) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (data) => {
      this.#receive(data.toString());
      this.#wake();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    this.socket.on('error', () => undefined);
  }

  /** Begins to connect. Returns at once. */
  static begin(
    port: number,
    query: Record<string, string> = {},
    path = `/app/${app.key}`,
    headers: Record<string, string> = {},
  ): Client {
    const url = new URL(`ws://127.0.0.1:${port}${path}`);
    url.search = new URLSearchParams({ protocol: '7', ...query }).toString();
    return new Client(url.href, headers);
  }

  /** Connects, and waits for `connection_established`. */
  static async connect(port: number, query: Record<string, string> = {}): Promise<Client> {
    const client = Client.begin(port, query);
    await client.received('pusher:connection_established');
    return client;
  }

  get id(): string {
    return this.#socketId ?? '';
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Asks for a channel. */
  ask(channel: string, more: object = {}): void {
    this.send({ event: 'pusher:subscribe', data: { channel, ...more } });
  }

  /** Asks for a channel with the signature that the app's secret makes. */
  askSigned(channel: string, channelData?: object, more: object = {}): void {
    const data = channelData === undefined ? undefined : JSON.stringify(channelData);
    const auth = authOf(app, channelText(this.id, channel, data));
    this.ask(channel, { auth, channel_data: data, ...more });
  }

  /** Subscribes, and waits until it has succeeded. @throws Error if it is refused */
  async subscribe(channel: string, more: object = {}): Promise<Frame> {
    this.ask(channel, more);
    return this.subscribed(channel);
  }

  async subscribed(channel: string): Promise<Frame> {
    const answers = ['pusher_internal:subscription_succeeded', 'pusher:subscription_error'];
    const answer = await this.wait(`the answer for ${channel}`, () =>
      this.frames.findLast((frame) => frame.channel === channel && answers.includes(frame.event)),
    );
    if (answer.event !== answers[0]) throw new Error(`refused: ${JSON.stringify(answer.data)}`);
    return answer;
  }

  /** Waits until the channel is refused. */
  refused(channel: string): Promise<Frame> {
    return this.received('pusher:subscription_error', channel);
  }

  /** Waits for an event; one that was received earlier counts too. */
  received(event: string, channel?: string): Promise<Frame> {
    return this.wait(`${event} on ${channel ?? 'any channel'}`, () =>
      this.frames.find(
        (frame) => frame.event === event && (channel === undefined || frame.channel === channel),
      ),
    );
  }

  /** Waits until `count` events of this name were received. Returns all of them. */
  async receivedTimes(event: string, count: number): Promise<readonly Frame[]> {
    return this.wait(`${count} × ${event}`, () => {
      const frames = this.frames.filter((frame) => frame.event === event);
      return frames.length >= count ? frames : undefined;
    });
  }

  /** Waits until all that the gateway has sent so far was received. */
  async caughtUp(): Promise<void> {
    const before = this.frames.filter(({ event }) => event === 'pusher:pong').length;
    this.send({ event: 'pusher:ping', data: {} });
    await this.receivedTimes('pusher:pong', before + 1);
  }

  /** Waits until the server has closed it. */
  async ended(): Promise<{ readonly code: number; readonly reason: string }> {
    return this.wait('the close', () => this.closed);
  }

  /** The received events that are not of the protocol, in order: `channel event`. */
  receivedEvents(): string[] {
    return this.frames
      .filter(({ event }) => !event.startsWith('pusher'))
      .map(({ channel, event }) => `${channel} ${event}`);
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.ended();
  }

  /** Waits until `find` finds something. */
  async wait<Found>(what: string, find: () => Found | undefined): Promise<Found> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = deadline - performance.now();
      if (left <= 0) {
        const received = this.frames.map((frame) => JSON.stringify(frame)).join('\n');
        throw new Error(
          `timed out waiting for ${what}; closed: ${JSON.stringify(this.closed)}; received:\n${received}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, left);
        const waiting = this.#waiting;
        function done() {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      });
    }
  }

  #receive(text: string): void {
    const { event, channel, data, user_id } = Frame.parse(JSON.parse(text));
    const value: unknown = typeof data === 'string' ? JSON.parse(data) : data;
    if (event === 'pusher:connection_established') {
      this.#socketId = z.object({ socket_id: z.string() }).parse(value).socket_id;
    }
    this.frames.push({ event, channel, data: value, userId: user_id });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
