import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Uid } from '../../../contracts/ids.ts';
import { errorFrame, eventFrame, type PushCode, pushCodes } from '../../../contracts/push/protocol.ts';
import { networkOf } from '../../edge/client-network.ts';
import { TokenBucket } from '../../edge/token-bucket.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import { textFrame } from './frame.ts';
import type { Limits } from './limits.ts';
import type { Outbox } from './outbox.ts';
import { Outgoing } from './outgoing.ts';
import type { Pace } from './pace.ts';

/** Most sockets are idle, and of some there are very many: what an idle one does not need is shared. */
const none: ReadonlyMap<string, Subscription> = new Map();

/** One websocket: what it is subscribed to, who it is known to be, and how frames go out on it. */
export class Connection {
  /** The protocol's socket_id. */
  readonly id = `${randomInt(1, 2 ** 47)}.${randomInt(1, 2 ** 47)}`;
  readonly address: string;
  /** As `networkOf` has it. */
  readonly network: string;
  /** The websocket's address by which the client reached us, with its port. */
  readonly reachedAt: string;
  /** The last position of the client, as `?since=` named it, and the feeds' channels for which it has counted. */
  readonly since: string | undefined;
  sinceUsed: Set<string> | undefined;
  /** By the channel's name. */
  subscriptions: ReadonlyMap<string, Subscription> = none;
  /** The user's id and uid, once the token, signing in or a signed subscription told it. */
  userId: string | undefined;
  uid: Uid | undefined;
  /** Hashes of the tokens under which this socket came to hear what it hears. */
  sessions: readonly string[] = [];
  /** When it was last heard, and when it was asked whether it is there (0: not since). */
  heardAt: number;
  askedAt = 0;
  /** When it was closed from here (0: not yet); a client that does not answer is cut off. */
  closedAt = 0;
  readonly #peer: WebSocket;
  readonly #limits: Limits;
  readonly #outbox: Outbox;
  readonly #pace: Pace;
  readonly #outgoing: Outgoing;
  /** Frames that go out at the end of this turn of the event loop. */
  #unwritten: Buffer[] | undefined;
  #frames: TokenBucket | undefined;
  #bytes: TokenBucket | undefined;
  #subscriptions: Map<string, Subscription> | undefined;

  constructor(
    peer: WebSocket,
    socket: Duplex,
    options: {
      address: string;
      reachedAt: string;
      since: string | undefined;
      limits: Limits;
      outbox: Outbox;
      pace: Pace;
    },
  ) {
    this.#peer = peer;
    this.#outgoing = new Outgoing(socket);
    this.#limits = options.limits;
    this.#outbox = options.outbox;
    this.#pace = options.pace;
    this.address = options.address;
    this.network = networkOf(options.address);
    this.reachedAt = options.reachedAt;
    this.since = options.since;
    this.heardAt = performance.now();
  }

  /** Whether frames can still go out. */
  get open(): boolean {
    return this.#peer.readyState === WebSocket.OPEN;
  }

  /** Notes that a frame came, of any kind; false if there are too many, or too many bytes, and it is closed for it. */
  heard(bytes: number): boolean {
    this.heardAt = performance.now();
    this.askedAt = 0;
    const { framesAtOnce, framesEachSecond, bytesAtOnce, bytesEachSecond } = this.#limits;
    this.#frames ??= new TokenBucket(framesAtOnce, this.heardAt);
    this.#bytes ??= new TokenBucket(bytesAtOnce, this.heardAt);
    const borne =
      this.#frames.take(framesAtOnce, framesEachSecond, this.heardAt) &&
      this.#bytes.take(bytesAtOnce, bytesEachSecond, this.heardAt, bytes);
    if (borne) {
      this.#pace.count(this, bytes);
      return true;
    }
    this.close(pushCodes.overCapacity, 'too many frames, or too many bytes');
    // Not its answer to that either: it would go on sending for as long as it may take to answer.
    this.pause();
    return false;
  }

  /** Reads nothing more of it. */
  pause(): void {
    this.#peer.pause();
  }

  /** Reads it again. */
  resume(): void {
    if (!this.open) return;
    // It may have waited with what it had to say.
    this.heardAt = performance.now();
    this.#peer.resume();
  }

  /** Notes that it is subscribed. */
  subscribed(subscription: Subscription): void {
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(subscription.channel.name, subscription);
    this.subscriptions = this.#subscriptions;
  }

  /** Notes that it is subscribed no more. */
  unsubscribed(subscription: Subscription): void {
    this.#subscriptions?.delete(subscription.channel.name);
  }

  /** Writes frames made by `textFrame` as they are, with whatever else comes in this turn of the event loop. */
  write(frames: Buffer): void {
    if (!this.open) return;
    if (this.#unwritten !== undefined) {
      this.#unwritten.push(frames);
      return;
    }
    this.#unwritten = [frames];
    this.#outbox.add(this);
  }

  /** Hands what was written to the system; a client that has left far too much unread is cut off. */
  flush(): void {
    const frames = this.#unwritten;
    this.#unwritten = undefined;
    if (frames === undefined || !this.open) return;
    this.#outgoing.write(frames);
    if (this.#outgoing.unread > this.#limits.waitingBytes) this.cut();
  }

  /** Sends one event of the protocol; `data` is JSON as text. */
  send(event: string, channel: string | undefined, data: string): void {
    this.write(textFrame(eventFrame(event, channel, data)));
  }

  /** Sends a frame that is text already. */
  sendText(text: string): void {
    this.write(textFrame(text));
  }

  /** Sends `pusher:error`; the connection stays. */
  error(code: PushCode, message: string): void {
    this.sendText(errorFrame(code, message));
  }

  /** Says why, and closes. */
  close(code: PushCode, message: string): void {
    if (!this.open) return;
    this.error(code, message);
    this.end(code, message);
  }

  /** Closes, once what was written has gone out. */
  end(code: PushCode, message: string): void {
    if (!this.open) return;
    this.flush();
    this.closedAt = performance.now();
    this.#peer.close(code, message);
  }

  /** Ends it at once, without the closing handshake. */
  cut(): void {
    this.#peer.terminate();
  }

  /** Resolves once the client has read what was written, or is gone. */
  async drained(): Promise<void> {
    this.flush();
    if (this.open) await this.#outgoing.taken();
  }

  /** Since when the client has read nothing of what waits for it, on the monotonic clock; 0 if nothing waits. */
  get stillSince(): number {
    return this.#outgoing.stillSince;
  }

  /** Notes that it has closed. */
  closed(): void {
    this.#unwritten = undefined;
    this.#outgoing.closed();
  }
}
