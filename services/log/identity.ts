import { randomUUID } from 'node:crypto';
import type { EventId, Position } from './log.ts';

/** What is kept with a log, so that it is known again. */
export interface LogIdentity {
  /** The installation whose log this is; made once. */
  readonly installation: string;
  /** Another one each time the log was found to have lost events; positions hold within one epoch. */
  readonly epoch: string;
}

/** A new installation's or epoch's name: 12 characters of a-f and 0-9. */
export function newIdentityName(): string {
  return randomUUID().replaceAll('-', '').slice(0, 12);
}

/** The log under a subscription is not the one any more that it followed: begin anew from what it holds now. */
export class LogChanged extends Error {
  override readonly name = 'LogChanged';

  constructor() {
    super('the log is not the one any more that was followed');
  }
}

/** The log belongs to another installation than the read models or the running process. */
export class StrangeLog extends Error {
  override readonly name = 'StrangeLog';
}

/** What a server says of its log. */
export interface LogLook {
  readonly identity: LogIdentity | undefined;
  /** The event at the position that was asked for; undefined if there is none. */
  readonly id: EventId | undefined;
}

/** How a connection to a server is asked. */
export interface LogSight {
  look(position: Position | undefined): Promise<LogLook>;
  /** As `EventLog.beginEpoch`. */
  beginEpoch(old: string): Promise<LogIdentity>;
}
