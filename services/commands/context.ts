import type { Uid } from '../../contracts/ids.ts';

/** Who does something, when, and in answer to what: what the events of a command say of it. */
export interface CommandContext {
  /** Who asks: the person, or the holder of the server's key acting for them. */
  readonly actor: `${Uid}` | 'server';
  /** The id of the request. */
  readonly correlationId: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The log's generation when the command began: what is decided is appended to no later one. */
  readonly generation?: number;
}

/** The time of a context in whole seconds since 1970, as the API counts. */
export function seconds(context: CommandContext): number {
  return Math.floor(context.time / 1000);
}
