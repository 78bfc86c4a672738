import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { Position } from '../log.ts';
import { positionOf } from './position.ts';

/** The server's answer to one attempt to append. */
export type AppendResponse =
  /** The stream contains all the ids, stored now or earlier; revision and position are those of the last event. */
  | { readonly stored: true; readonly revision: number; readonly position: Position }
  | { readonly stored: false; readonly actual: number | 'none' };

/**
 * An attempt without a usable answer.
 * - `unsent`: nothing was stored.
 * - `doubtful`: the events may have been stored.
 * - `refused`: the server will never store them.
 */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure';
  readonly kind: 'unsent' | 'doubtful' | 'refused';

  constructor(kind: 'unsent' | 'doubtful' | 'refused', message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The UUID of a message, which contains it as text or as two signed halves. */
export function uuidOf(id: InstanceType<typeof shared.UUID> | undefined): string {
  const halves = id?.getStructured();
  if (!halves) return id?.getString() ?? '';
  const hex = [halves.getMostSignificantBits(), halves.getLeastSignificantBits()]
    .map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0'))
    .join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** @throws AttemptFailure if the server could or would not append */
export function readResponse(response: BatchAppendResp): AppendResponse {
  const success = response.getSuccess();
  if (success) {
    const position = success.getPosition();
    if (!position) throw new AttemptFailure('doubtful', 'the server returned no position');
    return {
      stored: true,
      revision: Number(success.getCurrentRevision()),
      position: positionOf({
        commit: BigInt(position.getCommitPosition()),
        prepare: BigInt(position.getPreparePosition()),
      }),
    };
  }
  const message = response.getError()?.getMessage() ?? '';
  const details = response.getError()?.getDetails();
  const kind = details?.getTypeName() ?? '';
  switch (kind) {
    case 'event_store.client.WrongExpectedVersion': {
      const conflict = shared.WrongExpectedVersion.deserializeBinary(
        details?.getValue_asU8() ?? new Uint8Array(),
      );
      const actual = conflict.hasCurrentStreamRevision()
        ? Number(conflict.getCurrentStreamRevision())
        : 'none';
      return { stored: false, actual };
    }
    // Code 0 means that the server was not ready, too busy, or not the leader and knew none: nothing was stored.
    case 'google.protobuf.Empty':
      throw new AttemptFailure(response.getError()?.getCode() === 0 ? 'unsent' : 'doubtful', message);
    case 'event_store.client.AccessDenied':
    case 'event_store.client.MaximumAppendSizeExceeded':
    case 'event_store.client.StreamDeleted':
    case 'event_store.client.BadRequest':
      throw new AttemptFailure('refused', `${kind.slice('event_store.client.'.length)} ${message}`.trim());
    default:
      throw new AttemptFailure('doubtful', `${kind.slice(kind.lastIndexOf('.') + 1)} ${message}`.trim());
  }
}
