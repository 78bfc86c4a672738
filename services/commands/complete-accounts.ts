import { Refusal } from '../../contracts/codes.ts';
import type { LostAccounts } from '../accounts/lost-accounts.ts';
import type { UsedIds } from './used-ids.ts';

/**
 * Has everyone who registered an account before names are given out, in case the database has become an older
 * copy that lost the last accounts.
 * @throws Refusal notReady if that takes too long
 */
export type CompleteAccounts = () => Promise<void>;

/** How long somebody who registers waits for it, in milliseconds. */
const patience = 5_000;

/**
 * A copy that is older lacks those who came last. So one look is enough as a rule: whether the greatest uid in the
 * log has an account.
 * @param raise puts accounts back and raises the sequences; false if it was ended before
 */
export function createCompleteAccounts(options: {
  readonly accounts: Pick<LostAccounts, 'has'>;
  readonly used: Pick<UsedIds, 'greatest'>;
  readonly raise: (signal: AbortSignal) => Promise<boolean>;
  readonly stopping: AbortSignal;
}): CompleteAccounts {
  const { accounts, used, raise, stopping } = options;
  /** A uid whose account could not be put back, as when its registration was passed over. */
  let hopeless = 0;
  let raising: Promise<boolean> | undefined;
  return async () => {
    const { uid } = used.greatest;
    if (uid === hopeless || (await accounts.has(uid))) return;
    raising ??= raise(AbortSignal.any([stopping, AbortSignal.timeout(patience)])).finally(() => {
      raising = undefined;
    });
    if (!(await raising)) throw new Refusal('notReady');
    if (!(await accounts.has(uid))) hopeless = uid;
  };
}
