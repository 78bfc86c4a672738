import { Client } from '../gateway/client.ts';
import type { AtEnd } from './at-end.ts';
import { messages, type Person, type ReceivedMessage } from './conversation.ts';

/** A client that connects again at once whenever its socket is closed, and continues after the last push that it got. */
export class ResumingClient {
  /** The code with which each socket was closed. */
  readonly codes: number[] = [];
  readonly #port: number;
  readonly #person: Person;
  readonly #sockets: Client[] = [];
  #ended = false;

  /** @param port of a gateway, or of a proxy before several */
  constructor(port: number, person: Person, atEnd: AtEnd) {
    this.#port = port;
    this.#person = person;
    const running = this.#run();
    atEnd(async () => {
      this.#ended = true;
      this.#sockets.at(-1)?.socket.terminate();
      await running;
    });
  }

  /** Waits until it gets what is pushed. */
  async listening(): Promise<void> {
    await this.#sockets.at(-1)?.subscribed(`user-${this.#person.uid}`);
  }

  /** What it received over all its sockets, in order. */
  messages(): ReceivedMessage[] {
    return this.#sockets.flatMap((client) => messages(client));
  }

  /** Whether it got the event to load afresh. */
  get lostTrack(): boolean {
    return this.#sockets.some(({ frames }) => frames.some(({ event }) => event === 'reset'));
  }

  /** Waits until all that the gateway has sent so far was received. */
  async caughtUp(): Promise<void> {
    await this.#sockets.at(-1)?.caughtUp();
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const since = this.messages().at(-1)?.position;
      const { token, uid } = this.#person;
      const client = Client.begin(this.#port, { token, ...(since !== undefined && { since }) });
      this.#sockets.push(client);
      client.socket.once('open', () => client.ask(`user-${uid}`));
      const code = await new Promise<number>((resolve) => client.socket.once('close', resolve));
      this.codes.push(code);
    }
  }
}
