import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { Account } from '../accounts/account-rows.ts';
import type { Ids } from '../accounts/ids.ts';
import type { Names } from '../accounts/names.ts';
import { type Registration, register, userStream } from '../domain/user.ts';
import { decode, encode } from '../log/codec.ts';
import { type EventLog, LogFailure, type Position } from '../log/log.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CompleteAccounts } from './complete-accounts.ts';
import type { CommandContext } from './context.ts';
import { atLeastOne, metadataOf, newEventId } from './execute.ts';

/** A new account. The password hash is not in any event. */
export interface NewAccount {
  readonly username: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  readonly phone: string | null;
  readonly passwordHash: string;
  /** The member (会员) who opens it below their own account. */
  readonly parent: Uid | null;
}

export interface RegisteringParts {
  readonly names: Names;
  readonly ids: Pick<Ids, 'raiseUidsAbove'>;
  readonly log: EventLog;
  readonly store: AggregateStore;
  readonly completeAccounts: CompleteAccounts;
}

/** How often another uid is tried, each time twice as far above: a million uids in all. */
const maxAttempts = 20;

/**
 * Registers a person: reserves the names, appends the event, confirms the names. A uid whose stream exists already
 * belongs to somebody else, even if the tables do not say so: the person then gets another one.
 * @param beforehand runs when the names are reserved, and may refuse the registration, as a wrong SMS code does
 * @throws Refusal illegal if a name is taken, and what `beforehand` throws; then nothing was changed
 */
export async function registerUser(
  parts: RegisteringParts,
  account: NewAccount,
  context: CommandContext,
  beforehand: () => Promise<unknown> = async () => {},
): Promise<{ uid: Uid; position: Position }> {
  const { passwordHash, ...profile } = account;
  const { names, ids } = parts;
  const claim = { username: profile.username, phone: profile.phone, passwordHash };
  await parts.completeAccounts();
  let { uid, numberId } = await names.reserve(claim);
  let appended = false;
  try {
    await beforehand();
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      // `beforehand` may have taken longer than a reservation lasts.
      if (!(await names.renew(uid))) ({ uid, numberId } = await names.reserve(claim));
      const position = await append(parts, { ...profile, uid, numberId }, context);
      if (position !== undefined) {
        appended = true;
        await names.confirm(uid);
        return { uid, position };
      }
      // The tables lack accounts that are in the log, perhaps more than this one.
      await parts.completeAccounts();
      await ids.raiseUidsAbove(uid + 2 ** attempt - 1);
      uid = await names.replaceUid(uid);
    }
    throw new Refusal('notReady');
  } catch (error) {
    // If the event is stored, or may be, the names stay reserved; the next request for them checks the log.
    const doubtful = error instanceof LogFailure && error.kind === 'doubtful';
    if (!appended && !doubtful) await names.release(uid);
    throw error;
  }
}

/** Appends the registration to the person's stream; undefined if that exists already. */
async function append(
  { log, store }: RegisteringParts,
  registration: Registration,
  context: CommandContext,
): Promise<Position | undefined> {
  const { name } = userStream(registration.uid);
  const events = register(null, registration);
  const encoded = events.map((event) => encode(newEventId(), event, metadataOf(context)));
  const result = await log.append(name, 'none', atLeastOne(encoded), context.generation);
  if (result.outcome === 'conflict') return undefined;
  store.appended(
    name,
    events,
    encoded.map(({ id }) => id),
    { revision: result.revision, position: result.position },
    context.time,
  );
  return result.position;
}

/** Whether the log holds the registration of a person under this uid, username and number id. @throws LogFailure */
export async function isRegisteredAs(
  log: EventLog,
  { uid, username, numberId }: Pick<Account, 'uid' | 'username' | 'numberId'>,
): Promise<boolean> {
  for await (const record of log.readStream(userStream(uid).name, { limit: 1 })) {
    const event = decode(record);
    if (event.type !== 'UserRegistered') return false;
    return event.data.username === username && event.data.numberId === numberId;
  }
  return false;
}
