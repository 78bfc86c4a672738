import type { Limits } from './limits.ts';

/** A socket whose reading can be paused. */
export interface ThrottledSocket {
  /** The network of its client's address, from `networkOf`. */
  readonly network: string;
  /** Reads nothing more of it, so that TCP's flow control stops the client. */
  pause(): void;
  resume(): void;
}

type AddressLimits = Pick<Limits, 'maxAddressFramesPerSlice' | 'maxAddressBytesPerSlice'>;

/** The length of a slice of time. */
export const sliceMs = 100;

/** A resumed socket brings a packet of up to 64 KB before it can be paused again: 1 MB in a slice. */
const maxResumedPerSlice = 16;

/** What one address sent in the present slice, and which of its sockets are paused. */
interface Intake {
  frames: number;
  bytes: number;
  readonly paused: Set<ThrottledSocket>;
}

/**
 * Limits the frames and bytes that are read from one address in each slice of time, over all its sockets. The
 * rest waits with the clients; paused sockets are resumed in turns. Nothing is refused, since an address may be
 * that of a proxy with thousands of people behind it.
 */
export class AddressThrottle {
  readonly #limits: AddressLimits;
  readonly #intakes = new Map<string, Intake>();
  #slices: NodeJS.Timeout | undefined;

  constructor(limits: AddressLimits) {
    this.#limits = limits;
  }

  /** Counts a frame. Pauses its socket if its address has exceeded its share of this slice. */
  count(socket: ThrottledSocket, bytes: number): void {
    const intake = this.#intakes.get(socket.network) ?? { frames: 0, bytes: 0, paused: new Set() };
    intake.frames += 1;
    intake.bytes += bytes;
    this.#intakes.set(socket.network, intake);
    this.#slices ??= setInterval(() => this.#nextSlice(), sliceMs).unref();
    const { maxAddressFramesPerSlice, maxAddressBytesPerSlice } = this.#limits;
    if (intake.frames <= maxAddressFramesPerSlice && intake.bytes <= maxAddressBytesPerSlice) return;
    if (intake.paused.has(socket)) return;
    intake.paused.add(socket);
    socket.pause();
  }

  #nextSlice(): void {
    for (const [network, intake] of this.#intakes) {
      if (intake.paused.size === 0) {
        this.#intakes.delete(network);
        continue;
      }
      intake.frames = 0;
      intake.bytes = 0;
      for (const socket of [...intake.paused].slice(0, maxResumedPerSlice)) {
        intake.paused.delete(socket);
        socket.resume();
      }
    }
    if (this.#intakes.size > 0) return;
    clearInterval(this.#slices);
    this.#slices = undefined;
  }
}
