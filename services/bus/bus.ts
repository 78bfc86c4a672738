import type { PushRow } from '../../contracts/push/row.ts';
import type { Position } from '../log/log.ts';

/** What the projector announces after each commit. */
export interface Tick {
  /** The position up to which the read models include the log. */
  readonly checkpoint: Position;
  /**
   * The fencing number of the projector's lease, which distinguishes its ticks from those of an earlier
   * projector (docs/architecture.md, The lease and its fence), and a count that grows by one with each tick.
   */
  readonly fence: number;
  readonly batch: number;
  /** When the last event of the batch was decided, in milliseconds since 1970; unknown of a batch without events. */
  readonly time?: number | undefined;
}

/** A message between gateways, or from an API to the gateways. It is not an event of the log and is sent only once. */
export type Signal =
  /** The sessions of a token (given by its hash), or all of a user, end now. */
  | { readonly kind: 'token ended'; readonly token: string }
  | { readonly kind: 'user ended'; readonly uid: number }
  /** Another backend closes the sockets of a user, in that backend's numbering. Tokens stay valid. */
  | { readonly kind: 'connections ended'; readonly userId: string }
  /** An event for a channel that is not replayed: presence, client events, other backends' events. */
  | {
      readonly kind: 'ephemeral';
      readonly channel: string;
      readonly event: string;
      readonly data: string;
      readonly exceptSocket?: string;
      /** The sender, if listeners get to know it: in client events on presence channels. */
      readonly userId?: string;
      /** Whether the channel's `private-` twin gets it too. */
      readonly twin?: boolean;
      /** Its version, if it is kept as the last event of a cache channel. */
      readonly version?: string;
    }
  /** The members of a presence channel have changed: read them again. */
  | { readonly kind: 'members changed'; readonly channel: string }
  /** One gateway asks all for the subscriptions of their sockets; each answers on the topic `answerTo`. */
  | { readonly kind: 'question'; readonly id: string; readonly prefix: string; readonly answerTo: string }
  | {
      readonly kind: 'answer';
      readonly id: string;
      readonly gateway: string;
      readonly subscriptions: Readonly<Record<string, number>>;
      /** Whether another signal goes on with the same answer. */
      readonly more?: true;
    };

/**
 * The port between the projector and its listeners. It may lose any message: a listener detects a gap by
 * `Tick.batch` and reads the missing rows from the table `pushes.push`.
 */
export interface Bus {
  /** Announces a committed batch: each push row to the listeners of its channel, then the tick to all. */
  publish(tick: Tick, rows: readonly PushRow[]): void;
  /** Calls `listener` with each tick, in order. @returns a function that removes it */
  onTick(listener: (tick: Tick) => void): () => void;
  /** Calls `listener` with each row of the channel, before the tick of its batch. */
  onChannel(channel: string, listener: (row: PushRow) => void): () => void;
  /** Sends a signal to all listeners of its topic, this process included. */
  signal(topic: string, signal: Signal): void;
  onSignal(topic: string, listener: (signal: Signal) => void): () => void;
  /** Calls `listener` whenever messages may have been lost, as after a reconnection. */
  onInterruption(listener: () => void): () => void;
  /**
   * Resolves once all listeners added so far (onChannel, onSignal) receive what is published from then on. If
   * the bus is down, it resolves when the bus works again or after 3 s; listeners of interruptions are then
   * called in any case.
   */
  settled(): Promise<void>;
  /** Whether the bus works now. */
  healthy(): boolean;
  close(): Promise<void>;
}
