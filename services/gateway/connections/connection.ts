import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Uid } from '../../../contracts/ids.ts';
import { errorFrame, eventFrame, type PushCode, pushCodes } from '../../../contracts/push/protocol.ts';
import { networkOf } from '../../edge/client-network.ts';
import { TokenBucket } from '../../edge/token-bucket.ts';
import { closings } from '../../measurements.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import type { AddressThrottle } from './address-throttle.ts';
import { textFrame } from './frame.ts';
import type { Limits } from './limits.ts';
import { Outgoing } from './outgoing.ts';
import type { WriteQueue } from './write-queue.ts';

/** A client that does not answer a close frame for this time is cut off. */
export const closingTimeoutMs = 2_000;

/** Most sockets are idle, and there may be 100,000: they share what an idle one does not need. */
const none: ReadonlyMap<string, Subscription> = new Map();

export interface ConnectionOptions {
  /** The client's address. */
  readonly address: string;
  /** The address of the websocket that the client used, with its port. */
  readonly wsAddress: string;
  /** The `since` of the websocket's URL: the last position that the client has seen. */
  readonly since: string | undefined;
  readonly limits: Limits;
  readonly writeQueue: WriteQueue;
  readonly throttle: AddressThrottle;
}

/** One websocket: its subscriptions, its user, and its frames. Times are milliseconds of the monotonic clock. */
export class Connection {
  /** The protocol's socket_id. */
  readonly id = `${randomInt(1, 2 ** 47)}.${randomInt(1, 2 ** 47)}`;
  readonly address: string;
  /** The network of the address, from `networkOf`. */
  readonly network: string;
  readonly wsAddress: string;
  readonly since: string | undefined;
  /** The channels for which `since` has been used. */
  sinceUsed: Set<string> | undefined;
  /** By the channel's name. */
  subscriptions: ReadonlyMap<string, Subscription> = none;
  /** The user's id and uid, once the socket's token, a sign-in or a signed subscription named them. */
  userId: string | undefined;
  uid: Uid | undefined;
  /** Hashes of the tokens on which this socket or one of its subscriptions depends. */
  tokenHashes: readonly string[] = [];
  /** When its last frame came, and when it was pinged since (0: not). */
  receivedAt: number;
  pingedAt = 0;
  /** When the gateway closed it (0: not yet). */
  closedAt = 0;
  readonly #peer: WebSocket;
  readonly #limits: Limits;
  readonly #writeQueue: WriteQueue;
  readonly #throttle: AddressThrottle;
  readonly #outgoing: Outgoing;
  /** Frames to write at the end of this turn of the event loop. */
  #unwritten: Buffer[] | undefined;
  #frames: TokenBucket | undefined;
  #bytes: TokenBucket | undefined;
  #subscriptions: Map<string, Subscription> | undefined;

  constructor(peer: WebSocket, socket: Duplex, options: ConnectionOptions) {
    this.#peer = peer;
    this.#outgoing = new Outgoing(socket);
    this.#limits = options.limits;
    this.#writeQueue = options.writeQueue;
    this.#throttle = options.throttle;
    this.address = options.address;
    this.network = networkOf(options.address);
    this.wsAddress = options.wsAddress;
    this.since = options.since;
    this.receivedAt = performance.now();
  }

  /** Whether frames can be sent. */
  get open(): boolean {
    return this.#peer.readyState === WebSocket.OPEN;
  }

  /** Counts a received frame of any kind. @returns false if the client exceeds its limits; it is closed then */
  countFrame(bytes: number): boolean {
    this.receivedAt = performance.now();
    this.pingedAt = 0;
    const { frameBurst, framesPerSecond, byteBurst, bytesPerSecond } = this.#limits;
    this.#frames ??= new TokenBucket(frameBurst, this.receivedAt);
    this.#bytes ??= new TokenBucket(byteBurst, this.receivedAt);
    const withinLimits =
      this.#frames.take(frameBurst, framesPerSecond, this.receivedAt) &&
      this.#bytes.take(byteBurst, bytesPerSecond, this.receivedAt, bytes);
    if (withinLimits) {
      this.#throttle.count(this, bytes);
      return true;
    }
    this.close(pushCodes.overCapacity, 'too many frames, or too many bytes');
    // The client's close frame is not read either: the client would go on sending until the closing times out.
    this.pause();
    return false;
  }

  /** Stops reading. */
  pause(): void {
    this.#peer.pause();
  }

  /** Reads again. */
  resume(): void {
    if (!this.open) return;
    // Frames of the client may have waited meanwhile: it counts as active.
    this.receivedAt = performance.now();
    this.#peer.resume();
  }

  addSubscription(subscription: Subscription): void {
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(subscription.channel.name, subscription);
    this.subscriptions = this.#subscriptions;
  }

  removeSubscription(subscription: Subscription): void {
    this.#subscriptions?.delete(subscription.channel.name);
  }

  /** Writes frames made by `textFrame`, together with all others of this turn of the event loop. */
  write(frames: Buffer): void {
    if (!this.open) return;
    if (this.#unwritten !== undefined) {
      this.#unwritten.push(frames);
      return;
    }
    this.#unwritten = [frames];
    this.#writeQueue.add(this);
  }

  /** Hands the frames of this turn to the system. A client with too many unread bytes is cut off. */
  flush(): void {
    const frames = this.#unwritten;
    this.#unwritten = undefined;
    if (frames === undefined || !this.open) return;
    this.#outgoing.write(frames);
    if (this.#outgoing.unread > this.#limits.maxUnreadBytes) this.cut();
  }

  /** Sends one event of the protocol; `data` is JSON as text. */
  send(event: string, channel: string | undefined, data: string): void {
    this.write(textFrame(eventFrame(event, channel, data)));
  }

  /** Sends a frame that is text already. */
  sendText(text: string): void {
    this.write(textFrame(text));
  }

  /** Sends `pusher:error`; the connection stays open. */
  error(code: PushCode, message: string): void {
    this.sendText(errorFrame(code, message));
  }

  /** Sends `pusher:error`, and closes. */
  close(code: PushCode, message: string): void {
    if (!this.open) return;
    this.error(code, message);
    this.end(code, message);
  }

  /** Closes after what was written. */
  end(code: PushCode, message: string): void {
    if (!this.open) return;
    this.flush();
    this.closedAt = performance.now();
    closings.report({ code });
    this.#peer.close(code, message);
  }

  /** Ends it at once, without the closing handshake. */
  cut(): void {
    closings.report({ code: 'cut' });
    this.#peer.terminate();
  }

  /** Resolves when the client has read what was written, or is gone. */
  async drained(): Promise<void> {
    this.flush();
    if (this.open) await this.#outgoing.drained();
  }

  /** Bytes that the client has not read yet, without those in the system's own buffers. */
  get unreadBytes(): number {
    return this.#outgoing.unread;
  }

  /** When the client last read something, if frames wait for it; 0 if none do. */
  get stalledSince(): number {
    return this.#outgoing.stalledSince;
  }

  /** Drops the frames that wait: the socket has closed. */
  dropFrames(): void {
    this.#unwritten = undefined;
    this.#outgoing.close();
  }
}
