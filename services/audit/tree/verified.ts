import type { MisplacedEvent } from '../../log/log.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import type { ChangedSnapshot } from '../changed-snapshots.ts';
import type { FalseRepeat } from '../index/repeats.ts';
import type { ReadableLog } from '../readable-log.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Difference } from './difference.ts';
import type { Hash } from './hashes.ts';
import type { MisdatedHead, OtherOrigin } from './heads.ts';
import type { NoteVerifier } from './note.ts';
import type { UnreadEvent } from './unread-text.ts';

export interface VerifyOptions {
  readonly log: ReadableLog;
  /** Where the tree is. */
  readonly database: ReadingDatabase;
  /** Under which name its heads were signed. */
  readonly origin: string;
  /** By whose key the stored heads must be signed; undefined: their signatures are not verified. */
  readonly verifier?: NoteVerifier | undefined;
  /** Heads that were kept elsewhere, whose signatures were verified. */
  readonly kept?: readonly Checkpoint[];
  readonly onRead?: (events: number) => void;
  readonly signal?: AbortSignal;
}

/** What came of it. */
export interface Verified {
  /** How many events the log has, as far as it was read, and the root of their tree. */
  readonly size: number;
  readonly root: Hash;
  /** How many events the stored tree has. */
  readonly audited: number;
  /** How many heads fit, and how many events the greatest of them has. */
  readonly heads: number;
  readonly signed: number;
  /** Whether the signatures of stored heads were verified. */
  readonly signaturesVerified: boolean;
  /** Other names under which heads were signed, with which the log is not compared. */
  readonly otherOrigins: readonly OtherOrigin[];
  /** Heads whose rows say times that cannot be; as nobody signs these, nothing rests on them. */
  readonly misdated: readonly MisdatedHead[];
  /** The first one; the log was not read beyond it. */
  readonly difference: Difference | undefined;
  /** Why the log is not that of the installation whose tables these are; undefined if it is, or they name none. */
  readonly strangeness: string | undefined;
  /** Events that lie where no append puts one, also such as were audited there. */
  readonly misplaced: readonly MisplacedEvent[];
  /** Events whose texts hold what reading them leaves out, also such as were audited so. */
  readonly unread: readonly UnreadEvent[];
  /** The first hundred events that have the id of another of their stream and are not that event once more. */
  readonly falseRepeats: readonly FalseRepeat[];
  /** Kept states from which commands would go on, and which are not what the events of their streams give. */
  readonly changedSnapshots: readonly ChangedSnapshot[];
}

/** Whether nothing was found. */
export function isAsItWas({ difference, strangeness, ...found }: Verified): boolean {
  const named = [found.misplaced, found.unread, found.falseRepeats, found.changedSnapshots];
  const isOurs = difference === undefined && strangeness === undefined;
  return isOurs && named.every(({ length }) => length === 0);
}
