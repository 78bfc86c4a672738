import { Refusal } from '../../contracts/codes.ts';
import type { LostAccounts } from '../accounts/lost-accounts.ts';
import type { UsedIds } from './used-ids.ts';

/**
 * Makes sure that everyone who registered has an account before names are assigned: the database may have become
 * an older copy that lacks the last accounts.
 * @throws Refusal notReady if that takes more than 5 s
 */
export type CompleteAccounts = () => Promise<void>;

/** How long a registration waits for it. */
const timeoutMs = 5_000;

/**
 * An older copy lacks the newest accounts, so it is enough to check whether the greatest uid in the log has one.
 * @param raise restores accounts and raises the sequences; returns false if the signal ended it
 */
export function createCompleteAccounts(options: {
  readonly accounts: Pick<LostAccounts, 'has'>;
  readonly used: Pick<UsedIds, 'greatest'>;
  readonly raise: (signal: AbortSignal) => Promise<boolean>;
  readonly stopping: AbortSignal;
}): CompleteAccounts {
  const { accounts, used, raise, stopping } = options;
  /** A uid whose account could not be restored, for example because its registration is skipped. */
  let unrestorable = 0;
  let raising: Promise<boolean> | undefined;
  return async () => {
    const { uid } = used.greatest;
    if (uid === unrestorable || (await accounts.has(uid))) return;
    raising ??= raise(AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)])).finally(() => {
      raising = undefined;
    });
    if (!(await raising)) throw new Refusal('notReady');
    if (!(await accounts.has(uid))) unrestorable = uid;
  };
}
