import type { Uid } from '../../contracts/ids.ts';
import type { Names } from '../accounts/names.ts';
import { register, userStream } from '../domain/user.ts';
import { type EventLog, LogFailure, type Position } from '../log/log.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';

/** A new account. The password comes hashed: it is in no event. */
export interface NewAccount {
  readonly username: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  readonly phone: string | null;
  readonly passwordHash: string;
  /** The member (会员) under whom it is opened. */
  readonly parent: Uid | null;
}

/**
 * Registers a person: takes the names, appends the fact, marks the names as owned.
 * @param beforehand what must still succeed once the names are free, such as spending an SMS code
 * @throws Refusal illegal where a name is taken, and what `beforehand` throws; then nothing was done
 */
export async function registerUser(
  parts: { readonly names: Names; readonly log: EventLog; readonly store: AggregateStore },
  account: NewAccount,
  context: CommandContext,
  beforehand: () => Promise<unknown> = async () => {},
): Promise<{ uid: Uid; position: Position }> {
  const { username, nickname, avatar, sign, phone, passwordHash, parent } = account;
  const { names } = parts;
  const { uid, numberId } = await names.reserve({ username, phone, passwordHash });
  let appended = false;
  try {
    await beforehand();
    const registration = { uid, username, nickname, avatar, sign, phone, numberId, parent };
    const { position } = await execute(parts, userStream(uid), context, (state) =>
      register(state, registration),
    );
    appended = true;
    await names.confirm(uid);
    return { uid, position };
  } catch (error) {
    // Where the fact stands, or it is doubtful, the names stay taken; who asks next marks them by the log.
    const doubtful = error instanceof LogFailure && error.kind === 'doubtful';
    if (!appended && !doubtful) await names.release(uid);
    throw error;
  }
}
