import { v5 as uuidv5 } from 'uuid';
import { categories } from '../../contracts/events/index.ts';
import { encode } from '../log/codec.ts';
import type { EventId, EventLog, Position, RecordedEvent } from '../log/log.ts';
import { Skips, skipStream } from '../log/skips.ts';
import { metadataOf } from './execute.ts';
import { operatorContext } from './operator-context.ts';

/** The namespace for the ids of decisions, so that two who skip an event at once decide once. Never change it. */
const namespace = 'b5a7e6a1-4b0e-4f0a-9f0e-3d1c5d0f2a6b';

/** The longest reason, in characters: replay prints it on one line. */
const maxReasonLength = 500;

/** An event that cannot be skipped; the message is for the operator. */
export class NotSkippable extends Error {
  override readonly name = 'NotSkippable';
}

/** The decision about an event. */
export interface SkippedEvent {
  readonly event: RecordedEvent;
  readonly why: string;
  /** Whether it was skipped before; `why` is then the reason given at that time. */
  readonly before: boolean;
}

/**
 * Decides that every fold and projection skips the event at a position, from now on and in every rebuild. All
 * processes receive the decision over the log. It cannot be undone.
 * @param mustBeSkippable throws for an event that is not to be skipped; asked of none that was skipped before
 * @throws NotSkippable, LogFailure; what `mustBeSkippable` throws
 */
export async function skipEvent(
  log: EventLog,
  position: string,
  why: string,
  mustBeSkippable: (event: RecordedEvent) => Promise<void> = async () => undefined,
): Promise<SkippedEvent> {
  const reason = why.trim();
  if (reason === '' || reason.length > maxReasonLength) {
    throw new NotSkippable(`the reason must have 1 to ${maxReasonLength} characters`);
  }
  const event = await eventAt(log, position);
  if (!event) throw new NotSkippable(`there is no event at ${position}`);
  const { stream, id: eventId, revision, type } = event;
  if (stream === skipStream) throw new NotSkippable('a decision to skip an event cannot be skipped');
  if (!categories.some((category) => stream.startsWith(category))) {
    throw new NotSkippable(`${type} at ${stream}@${revision} is not an event of this system`);
  }
  const skips = new Skips(log);
  await skips.refresh();
  const known = skips.reason(event);
  if (known !== undefined) return { event, why: known, before: true };
  await mustBeSkippable(event);
  const decision = encode(
    uuidv5(`${stream}\n${eventId}\n${revision}`, namespace) as EventId,
    { type: 'EventSkipped', data: { stream, eventId, revision, type, why: reason } },
    metadataOf(operatorContext()),
  );
  const { outcome } = await log.append(skipStream, 'any', [decision]);
  if (outcome === 'appended') return { event, why: reason, before: false };
  await skips.refresh();
  return { event, why: skips.reason(event) ?? reason, before: true };
}

async function eventAt(log: EventLog, position: string): Promise<RecordedEvent | undefined> {
  try {
    // Input of an operator: the log checks whether it is a position.
    return await log.at(position as Position);
  } catch (error) {
    if (error instanceof TypeError) throw new NotSkippable(`${position} is not a position of this log`);
    throw error;
  }
}
