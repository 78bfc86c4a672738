import { randomUUID } from 'node:crypto';
import type { EventId, Position } from './log.ts';

/** What is stored with a log so that it can be recognised. */
export interface LogIdentity {
  /** The installation whose log this is; never changes. */
  readonly installation: string;
  /** Changes each time the log is found to have lost events; positions are valid within one epoch. */
  readonly epoch: string;
}

/** A name for a new installation or epoch: 12 characters of a-f and 0-9. */
export function newIdentityName(): string {
  return randomUUID().replaceAll('-', '').slice(0, 12);
}

/** The log lost events, or another epoch began: a subscriber must start again from what the log holds now. */
export class LogChanged extends Error {
  override readonly name = 'LogChanged';

  constructor() {
    super('the log is no longer the one that was followed');
  }
}

/** The log belongs to another installation than the read models or the running process. */
export class StrangeLog extends Error {
  override readonly name = 'StrangeLog';
}

/** What a server reports about its log. */
export interface LogInspection {
  readonly identity: LogIdentity | undefined;
  /** The id of the event at the given position; undefined if there is none. */
  readonly id: EventId | undefined;
}

/** Reads and changes the identity of the log that a server holds. */
export interface LogInspector {
  inspect(position: Position | undefined): Promise<LogInspection>;
  /** See `EventLog.beginEpoch`. */
  beginEpoch(old: string): Promise<LogIdentity>;
}
