import type { CopyTarget } from '../../services/audit/copy/copy-log.ts';
import type { FirstEvents } from '../../services/audit/copy/first-events.ts';
import { logCopy } from '../../services/audit/copy/log-copy.ts';
import { newIdentityName } from '../../services/log/identity.ts';
import type { EventLog } from '../../services/log/log.ts';

/** Where a log is copied from or to: another log, or a folder. */
export interface CopyPlace extends CopyTarget {
  /** The name of the installation whose log it is; undefined if none is known. */
  installation(): Promise<string | undefined>;
  /** Keeps the name of the installation. */
  name(installation: string): Promise<void>;
  /** How many events are copied from it; undefined if that is not known before. */
  readonly total?: number | undefined;
  /** What its events went through; undefined for a folder. */
  readonly firsts?: FirstEvents;
}

/** A log as a place. */
export function placeOf(log: EventLog): CopyPlace {
  return {
    ...logCopy(log),
    installation: async () => (await log.identity())?.installation,
    // Another epoch: positions of the log that was copied mean nothing in this one.
    name: async (installation) => void (await log.found({ installation, epoch: newIdentityName() })),
  };
}
