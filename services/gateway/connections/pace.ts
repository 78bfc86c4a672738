import type { Limits } from './limits.ts';

/** A socket that can be left unread for a while. */
export interface PacedSocket {
  /** Of its client's address, as `networkOf` has it. */
  readonly network: string;
  /** Reads nothing more of it, so that the system makes the client wait. */
  pause(): void;
  resume(): void;
}

/** How long a slice of time is, in milliseconds. */
export const sliceMs = 100;

/** A socket that is read again brings a packet of up to 64 KB before it can be left unread: 1 MB in a slice. */
const resumedEachSlice = 16;

/** What one address brought in the present slice, and which of its sockets are left unread. */
interface Intake {
  frames: number;
  bytes: number;
  readonly paused: Set<PacedSocket>;
}

/**
 * Reads only so much of one address in each slice of time, over all its sockets. What is beyond waits with the
 * client; the sockets that wait are read again in turns. Nothing is refused, since an address may be that of a
 * proxy with thousands of people behind it.
 */
export class Pace {
  readonly #limits: Pick<Limits, 'framesOfAddress' | 'bytesOfAddress'>;
  readonly #intakes = new Map<string, Intake>();
  #slices: NodeJS.Timeout | undefined;

  constructor(limits: Pick<Limits, 'framesOfAddress' | 'bytesOfAddress'>) {
    this.#limits = limits;
  }

  /** Counts a frame. Its socket is paused if its address has brought too much in this slice. */
  count(socket: PacedSocket, bytes: number): void {
    const intake = this.#intakes.get(socket.network) ?? { frames: 0, bytes: 0, paused: new Set() };
    intake.frames += 1;
    intake.bytes += bytes;
    this.#intakes.set(socket.network, intake);
    this.#slices ??= setInterval(() => this.#nextSlice(), sliceMs).unref();
    if (intake.frames <= this.#limits.framesOfAddress && intake.bytes <= this.#limits.bytesOfAddress) return;
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
      for (const socket of [...intake.paused].slice(0, resumedEachSlice)) {
        intake.paused.delete(socket);
        socket.resume();
      }
    }
    if (this.#intakes.size > 0) return;
    clearInterval(this.#slices);
    this.#slices = undefined;
  }
}
