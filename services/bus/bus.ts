import type { PushRow } from '../../contracts/push/row.ts';
import type { Position } from '../log/log.ts';

/** What the projector tells after each commit. */
export interface Tick {
  /** Up to where the read models reach. */
  readonly checkpoint: Position;
  /**
   * The fencing number of the projector's lease, by which its ticks are distinguished from those of an earlier
   * projector (docs/architecture.md, The lease and its fence), and a count that grows by one with each tick.
   */
  readonly fence: number;
  readonly batch: number;
}

/** A message between gateways, or from an api to the gateways: no event of the log, never repeated. */
export type Signal =
  /** Sessions of a token (its hash), or all of a user, end now. */
  | { readonly kind: 'token ended'; readonly token: string }
  | { readonly kind: 'user ended'; readonly uid: number }
  /** Another backend closes the sockets of a user, whoever numbers them; their tokens stand. */
  | { readonly kind: 'connections ended'; readonly userId: string }
  /** What is triggered for a channel and is not replayed: presence, client events, other backends' events. */
  | {
      readonly kind: 'ephemeral';
      readonly channel: string;
      readonly event: string;
      readonly data: string;
      readonly exceptSocket?: string;
      /** Who caused it, where the hearers are told: a client event on a presence channel. */
      readonly userId?: string;
      /** Whether the channel's `private-` twin hears it too. */
      readonly twin?: boolean;
      /** Its version, where it is kept as the last event of a cache channel. */
      readonly version?: string;
    }
  /** The members of a presence channel are others now than they were: read them again. */
  | { readonly kind: 'members changed'; readonly channel: string }
  /** One gateway asks all for what their sockets are subscribed to; each answers on the topic named. */
  | { readonly kind: 'question'; readonly id: string; readonly prefix: string; readonly answerTo: string }
  | {
      readonly kind: 'answer';
      readonly id: string;
      readonly gateway: string;
      readonly subscriptions: Readonly<Record<string, number>>;
    };

/**
 * The port between the projector and those who wait for it. It may lose anything: who listens
 * notices a gap by `Tick.batch` and reads what was missed from the table `push`.
 */
export interface Bus {
  /** Tells of one committed batch: its push rows to their channels' listeners, then the tick to all. */
  publish(tick: Tick, rows: readonly PushRow[]): void;
  /** Calls `hear` at each tick, in order. Returns how to stop. */
  onTick(hear: (tick: Tick) => void): () => void;
  /** Calls `hear` with each row of the channel, before the tick of its batch. Returns how to stop. */
  onChannel(channel: string, hear: (row: PushRow) => void): () => void;
  /** Sends a signal to all listeners of its topic, this process included. */
  signal(topic: string, signal: Signal): void;
  onSignal(topic: string, hear: (signal: Signal) => void): () => void;
  /** Calls `hear` whenever something may have been lost (a reconnect). Returns how to stop. */
  onInterruption(hear: () => void): () => void;
  /**
   * Resolves once all that was asked to be heard so far (onChannel, onSignal) is heard: what is
   * published from then on comes. Where the bus does not carry, it waits until it does again, or
   * resolves after its own deadline; an interruption is then told in any case.
   */
  settled(): Promise<void>;
  /** Whether the bus carries just now. */
  healthy(): boolean;
  close(): Promise<void>;
}
