import { categories, type EventNamed } from '../../contracts/events/index.ts';
import { firstReplacedMid } from '../../contracts/ids.ts';
import type { AccountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { UsedIds } from '../../services/commands/used-ids.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import { type EventLog, startOfLog } from '../../services/log/log.ts';
import type { HistoryAppend } from './decided-events.ts';
import { fillAccounts, hasNoAccounts } from './fill-accounts.ts';
import { history } from './history.ts';

/** What a seeded installation has. */
export interface Seeded {
  readonly people: number;
}

/**
 * Writes a history to a log in which nothing is, and gives its people accounts.
 * @param onAppended is called with the number of events that were stored since the last time
 * @throws Error if log or accounts are not empty, in words for who runs the script; LogFailure
 */
export async function seedInstallation(
  { log, accounts }: { readonly log: EventLog; readonly accounts: AccountsDatabase },
  options: { readonly events: number; readonly seed: string },
  onAppended: (events: number) => void,
): Promise<Seeded> {
  if ((await log.end(categories)) !== startOfLog)
    throw new Error('the log is not empty: nothing was changed');
  if (!(await hasNoAccounts(accounts))) throw new Error('there are accounts already: nothing was changed');
  const used = new UsedIds(firstReplacedMid);
  const people: EventNamed<'UserRegistered'>['data'][] = [];
  function* noted(): Generator<HistoryAppend> {
    for (const append of history(options)) {
      for (const { type, data } of append.facts) {
        used.apply({ stream: append.stream, data });
        if (type === 'UserRegistered') people.push(data);
      }
      yield append;
    }
  }
  await appendInOrder(log, noted(), onAppended);
  await fillAccounts(accounts, people, used.greatest);
  return { people: people.length };
}
