import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { Position } from '../log.ts';
import { positionOf } from './position.ts';

/** What the server said to one append. */
export type Answer =
  /** All its ids stand, just stored or from before; those of the last event. */
  | { readonly stands: true; readonly revision: number; readonly position: Position }
  | { readonly stands: false; readonly actual: number | 'none' };

/**
 * One attempt came to no answer.
 * - `unsent`: nothing was stored. - `doubtful`: perhaps it was. - `refused`: it never will be.
 */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure';
  readonly kind: 'unsent' | 'doubtful' | 'refused';

  constructor(kind: 'unsent' | 'doubtful' | 'refused', message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The UUID that a message carries as text or as two signed halves. */
export function uuidOf(id: InstanceType<typeof shared.UUID> | undefined): string {
  const halves = id?.getStructured();
  if (!halves) return id?.getString() ?? '';
  const hex = [halves.getMostSignificantBits(), halves.getLeastSignificantBits()]
    .map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0'))
    .join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Reads the server's answer. @throws AttemptFailure where it could not, or would not, do it. */
export function answerOf(response: BatchAppendResp): Answer {
  const success = response.getSuccess();
  if (success) {
    const position = success.getPosition();
    if (!position) throw new AttemptFailure('doubtful', 'the server told no position');
    return {
      stands: true,
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
      return { stands: false, actual };
    }
    // Without a code: not ready, too busy, or not the leader and knew none, and so not taken.
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
