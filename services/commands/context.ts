import type { EventMetadata } from '../../contracts/events/event.ts';
import type { Uid } from '../../contracts/ids.ts';

/** What is known of a caller beyond their name. */
export type Origin = Pick<EventMetadata, 'key' | 'for' | 'session' | 'address' | 'operator'>;

/** Who gives a command, when, and in which request: the metadata of its events. */
export interface CommandContext {
  /** The person, `server` for the holder of the server's key acting for them, or `nobody` for a stranger. */
  readonly actor: `${Uid}` | 'server' | 'nobody';
  readonly origin?: Origin;
  /** The id of the request. */
  readonly correlationId: string;
  /** The event that caused it, if it is not the request itself. */
  readonly causationId?: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The log's generation when the command began; in a later one nothing is appended. */
  readonly generation?: number;
}

/** The time of a command in whole seconds since 1970, the unit of the API. */
export function seconds(context: CommandContext): number {
  return Math.floor(context.time / 1000);
}
